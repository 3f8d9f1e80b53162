from __future__ import annotations

from decimal import Decimal

import pytest

from bursar.domain.errors import InvalidRequest, NotFound
from bursar.services.admin_prices import PriceRequest
from tests.fakes.office import START, Office


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
