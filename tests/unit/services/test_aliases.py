"""What an alias stands for, in which order, and for whom."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from bursar.dialects.messages_request import parse_messages
from bursar.dialects.translator import Untranslatable
from bursar.domain.aliases import Alias, AliasTarget, Strategy, TierDown
from bursar.domain.errors import Forbidden, InvalidRequest, ModelNotFound
from bursar.domain.ids import request_id
from bursar.domain.models import ModelName, requested_model
from tests.fakes.scripted_upstream import completion
from tests.fakes.several_upstreams import SeveralUpstreams
from tests.fakes.world import World, whole

if TYPE_CHECKING:
    from bursar.dialects.request import Terms
    from bursar.services.answers import StreamedAnswer, WholeAnswer
    from bursar.services.legs import Journey, Leg

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TARGETS = (AliasTarget("openai:a", 7), AliasTarget("groq:b", 2), AliasTarget("mistral:c", 1))


class Mute:
    """A passage whose provider's dialect cannot say the request."""

    def __init__(self, passage: Any) -> None:
        self._passage = passage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._passage, name)

    def body(self, terms: Terms) -> bytes:
        raise Untranslatable(f"{terms.model} cannot say that", param="tools")


def alias(name: str = "fast", **fields: Any) -> Alias:
    return Alias(name, fields.pop("targets", TARGETS), NOW, NOW, **fields)


async def world_with(*aliases: Alias, **user: Any) -> tuple[World, str]:
    world = World(providers=("groq", "mistral"))
    key = await world.someone()
    if user:
        await world.user(**user)
    for each in aliases:
        await world.storage.directory.aliases.put(each)
    for model in ("openai:a", "groq:b", "mistral:c"):
        await world.price(model)
    return world, key


def route_of(answer: WholeAnswer | StreamedAnswer) -> tuple[str, str]:
    return answer.headers["x-bursar-model"], answer.headers["x-bursar-route"]


def test_an_ordered_alias_keeps_its_order() -> None:
    assert alias().models(random.random) == ("openai:a", "groq:b", "mistral:c")


def test_a_weighted_alias_begins_with_each_target_by_its_share() -> None:
    chance = random.Random(5)  # noqa: S311 (a draw of lots, no secret)
    drawn = [alias(strategy=Strategy.WEIGHTED).models(chance.random) for _ in range(20_000)]
    assert all(sorted(models) == ["groq:b", "mistral:c", "openai:a"] for models in drawn)
    firsts = Counter(models[0] for models in drawn)
    for target in TARGETS:
        # Six standard deviations of such a count.
        assert abs(firsts[target.model] - 2_000 * target.weight) < 6 * 65
    seconds = Counter(models[1] for models in drawn if models[0] == "openai:a")
    assert abs(seconds["groq:b"] / firsts["openai:a"] - 2 / 3) < 0.03


def test_a_draw_of_zero_has_an_order_too() -> None:
    assert len(alias(strategy=Strategy.WEIGHTED).models(lambda: 0.0)) == 3


def test_the_cheaper_model_is_the_last_resort_and_is_not_there_twice() -> None:
    cheaper = TierDown(Decimal("0.2"), "groq:mini")
    assert alias(tier_down=cheaper).models(random.random)[-1] == "groq:mini"
    listed = TierDown(Decimal("0.2"), "groq:b")
    assert alias(tier_down=listed).models(random.random) == ("openai:a", "groq:b", "mistral:c")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("fast", ModelName("", "fast")),
        ("claude-sonnet-4-5", ModelName("", "claude-sonnet-4-5")),
        ("team/smart", ModelName("team", "smart")),
        ("Team:smart/x", ModelName("team", "smart/x")),
    ],
)
def test_what_is_asked_for_may_be_a_plain_word(text: str, name: ModelName) -> None:
    assert requested_model(text) == name


@pytest.mark.parametrize("text", ["", ":", "a:", "/b", ":b"])
def test_half_a_name_is_none(text: str) -> None:
    with pytest.raises(InvalidRequest):
        requested_model(text)


@pytest.mark.parametrize("name", ["fast", "gpt-4o", "team:smart"])
async def test_an_alias_is_served_by_its_first_target(name: str) -> None:
    world, key = await world_with(alias(name))
    upstreams = SeveralUpstreams(world)

    answer = await world.chat(key, model=name.replace(":", "/"))

    assert upstreams.body()["model"] == "a"
    assert whole(answer)["id"] == "c1"
    assert route_of(answer) == ("openai:a", "primary")
    assert answer.headers["x-bursar-attempts"] == "1"
    record = await world.record()
    assert (record.provider, record.model) == ("openai", "a")
    assert (record.alias, record.attempts, record.route) == (name, 1, "primary")


async def test_a_weighted_choice_is_told_as_one() -> None:
    world, key = await world_with(alias(strategy=Strategy.WEIGHTED))
    SeveralUpstreams(world)
    answer = await world.chat(key, model="fast")
    assert answer.headers["x-bursar-route"] == "weighted"


async def test_a_model_asked_for_by_its_name_is_served_directly() -> None:
    world, key = await world_with(alias())
    world.upstream.answer = completion()
    answer = await world.chat(key, model="openai:a")
    assert route_of(answer) == ("openai:a", "direct")
    record = await world.record()
    assert (record.alias, record.attempts, record.route) == (None, None, None)


async def test_a_providers_name_makes_a_model_whatever_aliases_there_are() -> None:
    world, key = await world_with(alias("openai:gpt-test"), alias("azure:x"))
    upstreams = SeveralUpstreams(world)
    answer = await world.chat(key)
    assert route_of(answer) == ("openai:gpt-test", "direct")
    with pytest.raises(ModelNotFound, match="Provider 'azure' is not configured here"):
        await world.chat(key, model="azure:x")
    assert upstreams.asked == ["openai"]


async def test_a_word_that_is_no_alias_is_told_how_models_are_named() -> None:
    world, key = await world_with(alias())
    with pytest.raises(InvalidRequest, match="must name its provider") as refused:
        await world.chat(key, model="fats")
    assert refused.value.param == "model"
    assert "alias" in refused.value.message
    with pytest.raises(ModelNotFound, match="Provider 'fats' is not configured"):
        await world.chat(key, model="fats:x")


async def test_a_new_alias_is_there_at_once() -> None:
    world, key = await world_with()
    SeveralUpstreams(world)
    with pytest.raises(InvalidRequest):
        await world.chat(key, model="fast")
    await world.storage.directory.aliases.put(alias())
    assert route_of(await world.chat(key, model="fast")) == ("openai:a", "primary")


@pytest.mark.parametrize(
    ("patterns", "served"),
    [
        (("fast",), "openai:a"),
        (("groq:*",), "groq:b"),
        (("mistral:c", "groq:b"), "groq:b"),
        (("*",), "openai:a"),
        (("f*",), None),
        (("fas?",), None),
        (("other",), None),
        ((), None),
    ],
)
async def test_an_allow_list_names_the_alias_or_covers_the_target(
    patterns: tuple[str, ...], served: str | None
) -> None:
    world, key = await world_with(alias(), allowed_models=patterns)
    upstreams = SeveralUpstreams(world)
    if served is None:
        with pytest.raises(Forbidden, match="User 'alice' may not use model 'fast'"):
            await world.chat(key, model="fast")
        assert upstreams.asked == []
    else:
        assert (await world.chat(key, model="fast")).headers["x-bursar-model"] == served


async def test_the_keys_list_and_the_users_must_both_allow_a_target() -> None:
    world, _ = await world_with(alias(), allowed_models=("groq:*", "mistral:*"))
    SeveralUpstreams(world)
    key = await world.key(allowed_models=("openai:*", "mistral:c"))
    assert route_of(await world.chat(key, model="fast")) == ("mistral:c", "primary")
    closed = await world.key(allowed_models=("azure:*",))
    with pytest.raises(Forbidden, match="This API key may not use model 'fast'"):
        await world.chat(closed, model="fast")


async def test_an_alias_allowed_by_name_does_not_allow_its_models() -> None:
    world, key = await world_with(alias(), allowed_models=("fast",))
    with pytest.raises(Forbidden):
        await world.chat(key, model="openai:a")


async def test_a_model_whose_name_no_header_can_hold_is_written_so_that_one_can() -> None:
    world, key = await world_with(alias(targets=(AliasTarget("openai:modèle;x\r\ny"),)))
    await world.price("openai:modèle;x\r\ny")
    world.upstream.answer = completion()
    answer = await world.chat(key, model="fast")
    assert answer.headers["x-bursar-model"] == "openai:mod%C3%A8le%3Bx%0D%0Ay"


@pytest.mark.parametrize("name", ["claude-sonnet-4-5", "team:smart"])
async def test_a_translated_answer_repeats_the_name_that_was_asked_for(name: str) -> None:
    world, key = await world_with(alias(name))
    upstreams = SeveralUpstreams(world)
    message = {"role": "user", "content": "hello"}
    raw = msgspec.json.encode({"model": name, "max_tokens": 50, "messages": [message]})

    answer = await world.completion.serve(
        request_id(world.now), {"x-api-key": key}, raw, parse_messages
    )

    assert upstreams.body()["model"] == "a"
    told = whole(answer)
    assert (told["type"], told["model"]) == ("message", name)
    assert route_of(answer) == ("openai:a", "primary")


async def test_a_target_that_cannot_say_the_request_is_passed_by() -> None:
    """It is noticed when the request is written, so what is held goes on to the next target."""
    world, key = await world_with(alias(targets=(AliasTarget("openai:a"), AliasTarget("groq:b"))))
    upstreams = SeveralUpstreams(world)
    legs = world.legs
    own = legs._leg

    async def leg(journey: Journey, model: ModelName) -> Leg:
        prepared = await own(journey, model)
        if model.provider == "openai":
            return replace(prepared, passage=Mute(prepared.passage))
        return prepared

    legs._leg = leg  # type: ignore[method-assign]
    answer = await world.chat(key, model="fast")

    assert upstreams.asked == ["groq"]
    assert route_of(answer) == ("groq:b", "fallback;after=openai:a;because=untranslatable")
    assert answer.headers["x-bursar-attempts"] == "1"
    assert [balance.holds for balance in await world.all_balances()] == [{}]

    with pytest.raises(Untranslatable, match="cannot say that"):
        await world.chat(key, model="openai:a")
    assert [record.cost_usd for record in await world.records()].count(Decimal(0)) == 1
