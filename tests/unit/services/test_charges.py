"""What a request is charged at, and what its record keeps of that."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bursar.domain.errors import ModelNotFound, Unpriceable
from bursar.domain.models import parse_model
from bursar.domain.price_command import how_to_price
from bursar.domain.price_rates import RateTable, RateTier, Unit
from bursar.prices.catalogue import CompiledCatalogue
from bursar.services.lookup import Lookup
from bursar.services.model_list import ModelList
from bursar.services.price_lookup import PriceLookup
from tests.fakes.scripted_upstream import JSON, ScriptedAnswer
from tests.fakes.world import World, drained, whole

D = Decimal
PRIORITY = {"priority": RateTable({Unit.INPUT: D(2), Unit.OUTPUT: D(4)})}


def answering(usage: dict[str, Any] | None, **fields: Any) -> ScriptedAnswer:
    message = {"choices": [{"message": {"role": "assistant", "content": "four"}}], **fields}
    if usage is not None:
        message["usage"] = usage
    return ScriptedAnswer(headers=JSON, script=[msgspec.json.encode(message)])


def used(prompt: int, completion: int, **details: Any) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, **details}


async def a_world(usd: str = "10", **price: Any) -> tuple[World, str]:
    world = World()
    key = await world.someone(usd)
    await world.price(**price)
    return world, key


async def test_every_rate_that_applied_is_kept_with_whose_price_it_was() -> None:
    rates = {Unit.WEB_SEARCH: D(10), Unit.REASONING: D(3), Unit.INPUT_AUDIO: D(9)}
    world, key = await a_world(cached_input_usd_per_million=D("0.1"), rates=rates)
    details = {
        "prompt_tokens_details": {"cached_tokens": 400},
        "completion_tokens_details": {"reasoning_tokens": 50},
    }
    world.upstream.answer = answering(used(1_000, 100, **details))

    await world.chat(key)

    record = await world.record()
    assert record.cost_usd == D("0.00089")  # 600 x 1 + 400 x 0.1 + 50 x 3 + 50 x 2
    assert record.input_usd_per_million == 1
    assert record.output_usd_per_million == 2
    assert dict(record.rates) == {"cached_input": D("0.1"), "reasoning": 3}
    assert record.price_version == "openai:gpt-test@2026-11-22T12:00:00Z"
    assert record.service_tier is None


async def test_the_rates_of_the_tier_that_the_input_reached_are_charged_and_kept() -> None:
    tiers = (RateTier(5_000, {Unit.INPUT: D(5)}),)
    world, key = await a_world(tiers=tiers)
    world.upstream.answer = answering(used(6_000, 1))
    await world.chat(key, messages=[{"role": "user", "content": "x" * 7_000}])
    record = await world.record()
    assert record.input_usd_per_million == 5
    assert record.cost_usd == D("0.030002")


@pytest.mark.parametrize(
    ("asked", "told", "usd", "kept"),
    [
        ("priority", "priority", "0.0024", "priority"),
        ("priority", "default", "0.0012", None),
        ("priority", None, "0.0024", "priority"),
        (None, "priority", "0.0024", "priority"),
        (None, None, "0.0012", None),
    ],
)
async def test_the_service_tier_that_the_answer_names_is_charged(
    asked: str | None, told: str | None, usd: str, kept: str | None
) -> None:
    world, key = await a_world(service_tiers=PRIORITY)
    tier = {} if told is None else {"service_tier": told}
    world.upstream.answer = answering(used(1_000, 100), **tier)
    await world.chat(key, service_tier=asked)
    record = await world.record()
    assert (record.cost_usd, record.service_tier) == (D(usd), kept)


async def test_what_the_provider_reports_as_its_cost_is_kept_beside_the_charge() -> None:
    world, key = await a_world()
    world.upstream.answer = answering(used(1_000, 100, cost=0.00123))
    await world.chat(key)
    record = await world.record()
    assert (record.cost_usd, record.reported_cost_usd) == (D("0.0012"), D("0.00123"))


async def test_usage_that_is_all_cached_and_all_reasoning_is_charged_as_it_was_reported() -> None:
    world, key = await a_world()
    details = {
        "prompt_tokens_details": {"cached_tokens": 1_024},
        "completion_tokens_details": {"reasoning_tokens": 100},
    }
    world.upstream.answer = answering(used(1_024, 100, **details))
    await world.chat(key)
    record = await world.record()
    assert (record.cost_usd, record.is_estimated) == (D("0.001224"), False)


async def test_an_answer_without_usage_is_charged_at_the_dearest_rates_of_its_bound() -> None:
    tiers = (RateTier(1, {Unit.INPUT: D(5)}),)
    world, key = await a_world(tiers=tiers, rates={Unit.CACHE_WRITE: D(7), Unit.REASONING: D(50)})
    world.upstream.answer = answering(None)
    await world.chat(key)
    record = await world.record()
    assert record.usage is not None
    assert record.cost_usd == (record.usage.input_tokens * 7 + D(4) * 50) / 1_000_000
    assert record.is_estimated


async def test_a_bound_that_the_price_has_no_rate_for_is_refused_by_name() -> None:
    world, key = await a_world()
    spoken = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    with pytest.raises(Unpriceable, match="has no rate for audio input"):
        await world.chat(key, messages=[{"role": "user", "content": [spoken]}])
    assert not world.upstream.requests
    assert (await world.balance()).committed_usd == 0


async def test_audio_that_the_provider_does_not_count_by_itself_is_charged_as_audio() -> None:
    world, key = await a_world(rates={Unit.INPUT_AUDIO: D(40)})
    spoken = {"type": "input_audio", "input_audio": {"data": "UklGRg==" * 4_000, "format": "wav"}}
    world.upstream.answer = answering(used(100, 10))
    await world.chat(key, messages=[{"role": "user", "content": [spoken]}])
    record = await world.record()
    assert record.usage is not None
    assert record.usage.input_audio_tokens == 100
    assert record.cost_usd == D("0.00402")


async def test_a_stream_is_charged_like_an_answer_in_one_piece() -> None:
    world, key = await a_world(cached_input_usd_per_million=D("0.1"), service_tiers=PRIORITY)
    usage = used(1_000, 100, prompt_tokens_details={"cached_tokens": 1_000}, cost=0.5)
    chunk = {"choices": [], "usage": usage, "service_tier": "priority"}
    world.upstream.answer = ScriptedAnswer(
        headers={"content-type": "text/event-stream"},
        script=[b"data: " + msgspec.json.encode(chunk) + b"\n\n", b"data: [DONE]\n\n"],
    )
    await drained(await world.chat(key, stream=True))
    record = await world.record()
    assert (record.service_tier, record.reported_cost_usd) == ("priority", D("0.5"))
    assert record.cost_usd == D("0.0005")  # 1,000 x 0.1 + 100 x 4
    assert dict(record.rates) == {"cached_input": D("0.1")}


def with_catalogue(world: World) -> Lookup:
    found = PriceLookup(world.storage.directory, CompiledCatalogue(), world.clock)
    return Lookup(world.storage.directory, 0.0, found.price)


async def test_a_model_without_an_administrators_price_is_charged_the_catalogues() -> None:
    world = World()
    await world.user()
    key = await world.key()
    world.legs._lookup = with_catalogue(world)
    world.upstream.answer = answering(used(1_000_000, 0))
    answer = await world.chat(key, model="openai:gpt-4o-mini")
    assert whole(answer)["usage"]["prompt_tokens"] == 1_000_000
    record = await world.record()
    assert record.cost_usd == D("0.15")
    assert record.price_version is not None
    assert record.price_version.startswith("openai:gpt-4o-mini@catalogue 20")


async def test_the_models_of_configured_providers_are_listed_with_those_that_have_prices() -> None:
    world = World()
    await world.user()
    headers = {"authorization": f"Bearer {await world.key()}"}
    await world.price("groq:mine")
    models = ModelList(
        world.identity,
        with_catalogue(world),
        world.storage.directory,
        world.vaults,
        world.targets,
        CompiledCatalogue(),
    )
    listed = [model["id"] for model in (await models.all(headers))["data"]]
    assert listed == sorted(listed)
    assert {"groq:mine", "openai:gpt-5", "openai:text-embedding-3-small"} <= set(listed)
    assert not [name for name in listed if name.startswith("anthropic:")]
    assert (await models.one(headers, "openai:gpt-5"))["owned_by"] == "openai"
    with pytest.raises(ModelNotFound):
        await models.one(headers, "anthropic:claude-sonnet-4-5")

    narrow = {"authorization": f"Bearer {await world.key(allowed_models=('openai:gpt-5*',))}"}
    allowed = [model["id"] for model in (await models.all(narrow))["data"]]
    assert "openai:gpt-5" in allowed
    assert all(name.startswith("openai:gpt-5") for name in allowed)


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        ("/v1/chat/completions", "--in USD --out USD, in dollars a million tokens; or at"),
        ("/v1/images/generations", "--out USD --rate image=USD, in dollars for one, and 0 for"),
        ("/v1/audio/transcriptions", "--rate audio=USD, in dollars for an hour, and 0 for"),
        ("/v1/audio/speech", "--rate character=USD, in dollars for a million, and 0 for"),
        ("/v1/rerank", "--rate rerank_search=USD, in dollars for a thousand, and 0 for"),
    ],
)
def test_a_model_without_a_price_is_refused_with_the_command_that_sets_one(
    endpoint: str, told: str
) -> None:
    told_all = how_to_price("x:a b; rm *", endpoint)
    assert told_all.startswith("bursar prices set 'x:a b; rm *' --in USD --out USD")
    assert told in told_all


async def test_a_dated_name_is_refused_under_the_name_that_a_price_has_to_be_set_for() -> None:
    price = CompiledCatalogue().price(parse_model("openai:gpt-4o-2024-08-06"), datetime.now(UTC))
    assert price is not None
    assert price.model_key == "openai:gpt-4o-2024-08-06"
    assert price.version.startswith("openai:gpt-4o@catalogue ")
