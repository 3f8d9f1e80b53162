from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar.domain.models import ModelName, parse_model
from bursar.domain.pricing import Price
from bursar.memory import MemoryDirectory
from bursar.services.price_lookup import PriceLookup, PriceSource

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def priced(model_key: str, usd: str, **fields: object) -> Price:
    return Price(model_key, Decimal(usd), Decimal(usd), NOW, NOW, **fields)  # type: ignore[arg-type]


class Catalogue:
    """Three models, one of them with limits."""

    date = "2026-11-20"
    prices = (
        priced("openai:gpt", "1", catalogue_date=date),
        priced("openai:gpt-2026-01-02", "2", catalogue_date=date),
        priced("openai:big", "3", context_window_tokens=1_000, max_output_tokens=100),
        priced("groq:listen", "3", audio_seconds_min=10),
    )

    def price(self, name: ModelName, now: datetime) -> Price | None:
        return next((price for price in self.prices if price.model_key == str(name)), None)

    def why_not(self, name: ModelName) -> str | None:
        return f"the catalogue does not know '{name.model}' of '{name.provider}'"

    def models(self, provider: str) -> Sequence[str]:
        return ()


class Desk:
    def __init__(self, *, has_catalogue: bool = True, age_s: float = 0) -> None:
        self.now = NOW
        self.directory = MemoryDirectory()
        catalogue = Catalogue() if has_catalogue else None
        self.lookup = PriceLookup(self.directory, catalogue, lambda: self.now, age_s)

    async def find(self, model: str) -> tuple[str, str] | None:
        found = await self.lookup.find(parse_model(model))
        return None if found is None else (str(found.source), f"{found.price.version}")

    async def usd(self, model: str) -> Decimal | None:
        price = await self.lookup.price(model)
        return None if price is None else price.input_usd_per_million

    async def usd_of_release(self, model: str) -> Decimal | None:
        found = await self.lookup.find_release(parse_model(model))
        return None if found is None else found.price.input_usd_per_million


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_models_own_price_comes_before_patterns_and_the_catalogue(desk: Desk) -> None:
    assert await desk.find("openai:gpt") == ("catalogue", "openai:gpt@catalogue 2026-11-20")
    await desk.directory.price_patterns.put(priced("openai:*", "7"))
    assert await desk.find("openai:gpt") == ("pattern", "openai:*@2026-11-25T12:00:00Z")
    await desk.directory.prices.put(priced("openai:gpt", "9"))
    assert await desk.find("openai:gpt") == ("override", "openai:gpt@2026-11-25T12:00:00Z")


async def test_of_several_patterns_the_one_with_most_characters_of_its_own_counts(
    desk: Desk,
) -> None:
    for pattern, usd in (("*", "1"), ("openai:*", "2"), ("openai:gpt-?", "3"), ("*gpt-4", "4")):
        await desk.directory.price_patterns.put(priced(pattern, usd))
    assert await desk.usd("openai:gpt-4") == 3
    assert await desk.usd("groq:gpt-4") == 4
    assert await desk.usd("openai:gpt-44") == 2
    assert await desk.usd("groq:other") == 1


@pytest.mark.parametrize("model", ["openai:gpt[1]", "openai:gpt.1", "openai:gpt+1"])
async def test_only_stars_and_question_marks_are_wildcards(desk: Desk, model: str) -> None:
    await desk.directory.price_patterns.put(priced(f"{model}*", "5"))
    assert await desk.usd(f"{model}-mini") == 5
    assert await desk.usd("openai:gpt11-mini") is None


@pytest.mark.parametrize("own", ["openai:gpt", "openai:gp*"])
async def test_no_other_spelling_of_a_model_evades_the_price_that_was_set_for_it(
    desk: Desk, own: str
) -> None:
    rows = desk.directory.price_patterns if "*" in own else desk.directory.prices
    await rows.put(priced(own, "9"))
    assert await desk.usd("openai:GPT") == 9


async def test_a_price_that_was_set_for_the_very_spelling_comes_first(desk: Desk) -> None:
    await desk.directory.prices.put(priced("together:org/model", "1"))
    await desk.directory.prices.put(priced("together:Org/Model", "2"))
    assert await desk.usd("together:Org/Model") == 2
    assert await desk.usd("together:ORG/model") == 1


async def test_nothing_borrows_another_providers_rate(desk: Desk) -> None:
    await desk.directory.prices.put(priced("azure:gpt", "9"))
    assert await desk.find("groq:gpt") is None
    assert await desk.find("azureopenai:gpt") is None


async def test_a_deployment_can_do_without_the_catalogue() -> None:
    desk = Desk(has_catalogue=False)
    assert await desk.find("openai:gpt") is None
    await desk.directory.prices.put(priced("openai:gpt", "9"))
    assert await desk.usd("openai:gpt") == 9


async def test_a_price_of_the_future_leaves_the_catalogues_until_then(desk: Desk) -> None:
    tomorrow = NOW + timedelta(days=1)
    await desk.directory.prices.put(priced("openai:gpt", "9", effective_from=tomorrow))
    assert await desk.usd("openai:gpt") == 1
    desk.now = tomorrow
    assert await desk.usd("openai:gpt") == 9


async def test_a_pattern_of_the_future_leaves_a_wider_one_until_then(desk: Desk) -> None:
    tomorrow = NOW + timedelta(days=1)
    await desk.directory.price_patterns.put(priced("openai:g*", "9", effective_from=tomorrow))
    await desk.directory.price_patterns.put(priced("openai:*", "8"))
    assert await desk.usd("openai:gpt") == 8
    desk.now = tomorrow
    assert await desk.usd("openai:gpt") == 9


async def test_limits_that_only_the_catalogue_knows_bound_an_administrators_price(
    desk: Desk,
) -> None:
    await desk.directory.prices.put(priced("openai:big", "9", max_output_tokens=50))
    price = await desk.lookup.price("openai:big")
    assert price is not None
    assert (price.context_window_tokens, price.max_output_tokens) == (1_000, 50)
    assert price.input_usd_per_million == 9


async def test_the_shortest_audio_that_is_billed_is_the_catalogues_for_every_price(
    desk: Desk,
) -> None:
    limits = {"context_window_tokens": 5, "max_output_tokens": 5}
    await desk.directory.prices.put(priced("groq:listen", "9", **limits))
    price = await desk.lookup.price("groq:listen")
    assert price is not None
    assert price.input_usd_per_million == 9
    assert price.audio_seconds_min == 10


async def test_a_dated_release_has_the_price_that_was_set_for_its_model(desk: Desk) -> None:
    assert await desk.usd_of_release("openai:gpt-2026-01-02") == 2
    assert await desk.usd_of_release("openai:gpt-20260203") == 1
    await desk.directory.prices.put(priced("openai:gpt", "9"))
    assert await desk.usd_of_release("openai:gpt-2026-01-02") == 9
    assert await desk.usd("openai:gpt-2026-01-02") == 2


async def test_an_unknown_release_of_an_unknown_model_has_no_price(desk: Desk) -> None:
    assert await desk.usd_of_release("openai:other-2026-01-02") is None


async def test_patterns_are_kept_for_as_long_as_told() -> None:
    desk = Desk(age_s=3600)
    assert await desk.usd("openai:gpt") == 1
    await desk.directory.price_patterns.put(priced("openai:*", "9"))
    assert await desk.usd("openai:gpt") == 1


async def test_a_pattern_that_was_missed_is_there_at_once() -> None:
    desk = Desk(age_s=3600)
    assert await desk.usd("openai:unknown") is None
    await desk.directory.price_patterns.put(priced("openai:*", "9"))
    assert await desk.usd("openai:unknown") == 9


async def test_the_source_says_whose_price_it_is(desk: Desk) -> None:
    row = replace(priced("openai:*", "1"), updated_at=NOW)
    await desk.directory.price_patterns.put(row)
    found = await desk.lookup.find(ModelName("openai", "gpt"))
    assert found is not None
    assert found.source is PriceSource.PATTERN
