"""Every model of the catalogue costs what genai-prices, which it is compiled from, calculates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.models import ModelName
from bursar.domain.money import QUANTUM_USD
from bursar.domain.pricing import charge_of
from bursar.domain.usage import TokenUsage
from bursar.prices.catalogue import CompiledCatalogue
from bursar.prices.rows import price_of_row
from infra.prices.files import load_shards
from infra.prices.mapping import BACKENDS, SHARDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genai_prices.types import ModelInfo, Provider

    from bursar.domain.pricing import Price

FULL = ("anthropic", "bedrock", "deepseek", "groq", "openai", "xai")
# They divide with 28 digits and do not say which way they round.
DIGITS = Decimal("1e-20")

genai_prices = pytest.importorskip("genai_prices")
SHARD_FILES = load_shards()
CATALOGUE = CompiledCatalogue()
DAY = datetime.fromisoformat(CATALOGUE.date).replace(tzinfo=UTC)
TIMES = [DAY + timedelta(hours=hour, minutes=15) for hour in (12, 0, 2, 5, 8, 17, 23)]
TIMES += [DAY + timedelta(days=days) for days in (10, 40, 400)]

USAGES = {
    "plain": TokenUsage(1_000, 500),
    "nothing": TokenUsage(),
    "at the first tiers": TokenUsage(200_000, 10),
    "above them": TokenUsage(200_001, 10_000),
    "above every tier": TokenUsage(1_000_000, 65_000),
    "cached": TokenUsage(150_000, 500, cached_input_tokens=100_000),
    "written": TokenUsage(300_000, 500, cached_input_tokens=50_000, cache_write_tokens=20_000),
    "written for an hour": TokenUsage(9_000, 5, 0, 5_000, 2_000),
    "audio": TokenUsage(9_000, 900, 500, input_audio_tokens=3_000, cached_audio_tokens=200),
    "spoken": TokenUsage(9_000, 900, output_audio_tokens=800),
    "pictures": TokenUsage(9_000, 9_000, input_image_tokens=700, output_image_tokens=8_000),
    "reasoning": TokenUsage(1_000, 9_000, reasoning_tokens=8_000),
    "searches": TokenUsage(1_000, 500, web_searches=3, rerank_searches=2),
    "speech": TokenUsage(input_characters=4_321, audio_seconds=77),
    "short audio": TokenUsage(audio_seconds=3),
}
SOME_USAGES = {name: USAGES[name] for name in ("above them", "cached")}
TIERS = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}


def providers() -> Iterator[tuple[str, str, Provider]]:
    """Our name, the ending of its models' names, and theirs."""
    from genai_prices.data import providers as theirs  # noqa: PLC0415

    by_id = {provider.id: provider for provider in theirs}
    for shard, row in SHARDS.items():
        for name in row.providers if shard in by_id else ():
            yield name, "", by_id[shard]
    for name, (prefix, separator) in BACKENDS.items():
        for shard, provider in by_id.items():
            if shard.startswith(prefix):
                yield name, separator + shard.removeprefix(prefix), provider


def names_of(provider: Provider) -> set[str]:
    """Names that lead to its models, and some that only rules lead to."""
    found = set()
    for model in provider.models:
        found |= {model.id, model.id.upper(), f"{model.id}-20260203", f"us.{model.id}"}
        found |= {model.id.replace("regional.", region) for region in ("us.", "eu.", "apac.", "")}
        found |= {f"ft:{model.id}-2024-07-18:org::x", f"models/{model.id}", f"a/{model.id}"}
        found |= {f"eu.{model.id}-v1:0", f"{model.id}-2026-02-03", f"x-{model.id}-latest"}
    return found


def counted(usage: TokenUsage) -> Any:
    """The same usage in their words: what their rows bill of it."""
    told = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cached_input_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cache_write_1h_tokens": usage.cache_write_1h_tokens,
        "input_audio_tokens": usage.input_audio_tokens,
        "cache_audio_read_tokens": usage.cached_audio_tokens,
        "input_image_tokens": usage.input_image_tokens,
        "cache_image_read_tokens": 0,
        "output_image_tokens": usage.output_image_tokens,
        "output_audio_tokens": usage.output_audio_tokens,
        "output_reasoning_tokens": usage.reasoning_tokens,
        "input_video_tokens": 0,
        "web_searches": usage.web_searches,
        "storage_searches": 0,
        "rerank_searches": usage.rerank_searches,
        "input_characters": usage.input_characters,
        "audio_seconds": usage.audio_seconds,
        "input_audio_seconds": usage.audio_seconds,
    }
    return genai_prices.Usage(**told)


EVERY_PROVIDER = pytest.mark.parametrize(
    ("name", "ending", "theirs"),
    [pytest.param(*row, id=f"{row[0]}{row[1]}".replace(":", "-")) for row in providers()],
)


@EVERY_PROVIDER
def test_every_name_leads_to_the_same_model(name: str, ending: str, theirs: Provider) -> None:
    for model in sorted(names_of(theirs)):
        row = CATALOGUE.row(ModelName(name, model + ending))
        expected = theirs.find_model(model)
        if row is None or expected is None:
            assert row is None
            assert expected is None or name in {"vertexai", "vertexaianthropic"}
        else:
            assert row["id"] == expected.id, model


@pytest.mark.parametrize("shard", sorted(SHARD_FILES))
def test_every_model_costs_the_same(shard: str) -> None:
    from genai_prices.data import providers as all_of_theirs  # noqa: PLC0415

    theirs = next((provider for provider in all_of_theirs if provider.id == shard), None)
    if theirs is None:
        assert shard in SHARDS
        return
    rows = SHARD_FILES[shard]["rows"]
    # What follows theirs is the supplement, of models that they lack.
    for row, model in zip(rows[: len(theirs.models)], theirs.models, strict=True):
        assert row["id"] == model.id
        if "prices" not in row:
            assert row["left_out"]
            continue
        changes = isinstance(model.prices, list) or model.price_variants
        for now in TIMES if changes else TIMES[:1]:
            usages = USAGES if now is TIMES[0] else SOME_USAGES
            check(model, theirs, price_of_row(row, shard, CATALOGUE.date, now), now, usages)


def check(
    model: ModelInfo,
    theirs: Provider,
    price: Price,
    now: datetime,
    usages: dict[str, TokenUsage],
) -> None:
    for tier in (None, *price.service_tiers):
        for what, usage in usages.items():
            ours = charge_of(usage, price, tier).cost_usd
            calculated = model.calc_price(
                counted(usage),
                theirs,
                genai_request_timestamp=now,
                price_context=None if tier is None else TIERS[tier],
            )
            exact = calculated.total_price
            assert exact - DIGITS <= ours < exact + QUANTUM_USD + DIGITS, (price, what, tier, now)


def test_most_models_of_their_providers_are_priced() -> None:
    ours = {name: len(CATALOGUE.models(name)) for name, _, _ in providers()}
    theirs = {name: len(provider.models) for name, _, provider in providers() if name in FULL}
    assert all(ours[name] >= 0.85 * theirs[name] for name in FULL), ours


def test_service_tiers_are_found_where_they_are_sold() -> None:
    price = CATALOGUE.price(ModelName("openai", "gpt-5"), DAY)
    assert price is not None
    assert {"priority", "flex", "batch"} <= price.service_tiers.keys()
