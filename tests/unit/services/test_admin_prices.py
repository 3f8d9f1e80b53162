from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import InvalidRequest, NotFound
from bursar.domain.pricing import Price
from bursar.memory import MemoryDirectory
from bursar.memory.collection import MemoryCollection
from bursar.prices.catalogue import CompiledCatalogue
from bursar.services.admin_prices import PriceAdministration, PriceRequest
from tests.fakes.office import START, Office

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


@pytest.fixture
def office() -> Office:
    return Office()


def priced(model_key: str, usd: str = "1", cached: str | None = None) -> PriceRequest:
    cached_usd = None if cached is None else Decimal(cached)
    return PriceRequest(model_key, Decimal(usd), Decimal(usd), cached_usd)


async def test_a_slash_after_the_provider_is_stored_as_a_colon(office: Office) -> None:
    price = await office.services.prices.set(priced("openai/gpt-x"))
    assert price.model_key == "openai:gpt-x"
    assert await office.services.prices.get("openai:gpt-x") == price
    assert await office.services.prices.get("openai/gpt-x") == price


async def test_only_the_first_delimiter_counts(office: Office) -> None:
    price = await office.services.prices.set(priced("openrouter:meta/llama:free"))
    assert price.model_key == "openrouter:meta/llama:free"
    await office.services.prices.remove("openrouter/meta/llama:free")


async def test_a_price_replaces_the_models_other_price_whole(office: Office) -> None:
    await office.services.prices.set(priced("openai:gpt-x", "1", cached="0.1"))
    office.wait(hours=1)
    price = await office.services.prices.set(priced("openai:gpt-x", "2"))
    assert (price.input_usd_per_million, price.cached_input_usd_per_million) == (Decimal(2), None)
    assert (price.created_at, price.updated_at) == (START, office.now)
    assert len(await office.services.prices.page(skip=0, limit=10)) == 1


@pytest.mark.parametrize("model_key", ["gpt-x", ":gpt-x", "openai:", ""])
async def test_a_model_without_a_provider_cannot_be_priced(office: Office, model_key: str) -> None:
    with pytest.raises(InvalidRequest):
        await office.services.prices.set(priced(model_key))


@pytest.mark.parametrize("model_key", ["openai:gpt-x", "gpt-x"])
async def test_a_price_that_is_not_there_is_not_found(office: Office, model_key: str) -> None:
    for attempt in (
        office.services.prices.get(model_key),
        office.services.prices.remove(model_key),
    ):
        with pytest.raises(NotFound, match=f"^Pricing for model '{model_key}' not found$"):
            await attempt


async def test_every_statement_is_kept_newest_first(office: Office) -> None:
    prices = office.services.prices
    await prices.set(priced("openai:gpt-x", "1"))
    office.wait(hours=1)
    await prices.set(priced("openai:gpt-x", "2"))
    office.wait(hours=1)
    await prices.remove("openai:gpt-x")
    office.wait(hours=1)
    await prices.set(priced("openai:gpt-x", "3"))

    stated = await prices.history("openai/gpt-x")

    rates = [each.price.input_usd_per_million if each.price else None for each in stated]
    assert rates == [3, None, 2, 1]
    assert [each.stated_at - START for each in reversed(stated)] == [
        timedelta(hours=hour) for hour in range(4)
    ]
    assert (await prices.get("openai:gpt-x")).created_at == START + timedelta(hours=3)


async def test_a_price_announced_for_later_applies_from_then_on(office: Office) -> None:
    prices, later = office.services.prices, START + timedelta(days=1)
    await prices.set(priced("openai:gpt-x", "1"))
    now = await prices.set(replace(priced("openai:gpt-x", "2"), effective_from=later))
    assert now.input_usd_per_million == 1
    assert [each.input_usd_per_million for each in now.upcoming] == [2]

    office.wait(hours=1)
    corrected = await prices.set(priced("openai:gpt-x", "1.5"))
    assert corrected.input_usd_per_million == Decimal("1.5")
    assert [each.effective_from for each in corrected.upcoming] == [later]

    office.wait(days=1)
    assert (await prices.get("openai:gpt-x")).input_usd_per_million == 2
    assert [each.input_usd_per_million for each in await prices.page(skip=0, limit=9)] == [2]


async def test_an_announcement_is_replaced_by_another_for_the_same_time(office: Office) -> None:
    prices, later = office.services.prices, START + timedelta(days=1)
    for usd in ("2", "3"):
        await prices.set(replace(priced("openai:gpt-x", usd), effective_from=later))
    office.wait(days=2)
    price = await prices.get("openai:gpt-x")
    assert price.input_usd_per_million == 3
    assert not price.upcoming


async def test_a_removal_takes_what_was_announced_along(office: Office) -> None:
    prices = office.services.prices
    await prices.set(priced("openai:gpt-x", "1"))
    await prices.set(replace(priced("openai:gpt-x", "2"), effective_from=START + timedelta(days=1)))
    await prices.remove("openai:gpt-x")
    office.wait(days=2)
    with pytest.raises(NotFound):
        await prices.get("openai:gpt-x")


async def test_no_price_begins_in_the_past(office: Office) -> None:
    wanted = replace(priced("openai:gpt-x"), effective_from=START - timedelta(seconds=1))
    with pytest.raises(InvalidRequest, match="in the past") as refused:
        await office.services.prices.set(wanted)
    assert refused.value.param == "effective_from"


async def test_a_price_from_before_there_was_a_history_becomes_its_first_statement(
    office: Office,
) -> None:
    before = START - timedelta(days=9)
    old = Price("openai:gpt-x", Decimal(1), Decimal(1), before, before)
    await office.services.directory.prices.put(old)
    await office.services.prices.set(priced("openai:gpt-x", "2"))
    new, first = await office.services.prices.history("openai:gpt-x")
    assert first.price == old
    assert new.price is not None
    assert (await office.services.prices.get("openai:gpt-x")).created_at == before


async def test_patterns_are_listed_before_models_and_paged_with_them(office: Office) -> None:
    prices = office.services.prices
    for model_key in ("openai:b", "openai:a", "openai:*", "groq:*"):
        await prices.set(priced(model_key))
    everything = ["groq:*", "openai:*", "openai:a", "openai:b"]
    for skip in range(5):
        for limit in range(1, 5):
            page = await prices.page(skip=skip, limit=limit)
            assert [price.model_key for price in page] == everything[skip : skip + limit]


async def test_a_pattern_is_a_price_like_any_other(office: Office) -> None:
    prices = office.services.prices
    await prices.set(priced("openai/gpt-*", "4"))
    assert (await prices.get("openai:gpt-*")).input_usd_per_million == 4
    assert len(await prices.history("openai:gpt-*")) == 1
    await prices.remove("openai:gpt-*")
    assert not await prices.page(skip=0, limit=9)


async def test_removing_a_price_restores_the_catalogues(office: Office) -> None:
    prices = PriceAdministration(
        office.services.directory, office.services.clock, CompiledCatalogue()
    )
    await prices.set(priced("openai:gpt-5", "99"))
    own = await prices.effective("openai/gpt-5")
    await prices.remove("openai:gpt-5")
    public = await prices.effective("openai/gpt-5")
    assert own.found is not None
    assert public.found is not None
    assert (own.found.source, public.found.source) == ("override", "catalogue")
    assert public.found.price.input_usd_per_million == Decimal("1.25")


async def test_why_a_model_has_no_price_is_told(office: Office) -> None:
    directory, clock = office.services.directory, office.services.clock
    known = PriceAdministration(directory, clock, CompiledCatalogue())
    told = await known.effective("openai:gpt-99")
    assert told.found is None
    assert told.why_none == (
        "no price is set, and the catalogue does not know 'gpt-99' of 'openai'"
    )
    without = await PriceAdministration(directory, clock).effective("openai:gpt-5")
    assert (without.catalogue_date, without.found) == (None, None)
    assert without.why_none == "no price is set, and this deployment uses no catalogue"


class _Slow(MemoryCollection[Price]):
    """Rows whose first put is overtaken by whatever `meanwhile` does."""

    def __init__(self) -> None:
        super().__init__(Price, "model_key")
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def put(self, record: Price) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        await super().put(record)


async def test_a_row_written_late_does_not_undo_another_statement(office: Office) -> None:
    directory, prices = MemoryDirectory(), _Slow()
    directory.prices = prices
    desk = PriceAdministration(directory, office.services.clock)
    later = START + timedelta(days=1)
    prices.meanwhile = partial(desk.set, replace(priced("openai:x", "2"), effective_from=later))

    await desk.set(priced("openai:x", "1"))

    row = await desk.get("openai:x")
    assert row.input_usd_per_million == 1
    assert [each.input_usd_per_million for each in row.upcoming] == [2]
