"""What has a price before an administrator has set any."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bursar import bootstrap
from bursar.settings import ConfiguredPrice, Settings
from functions.server.first_run import add_mock_price, first_model
from tests.fakes.world import World

RATES = ConfiguredPrice(Decimal(1), Decimal(2))


async def test_the_files_prices_are_entered_where_the_table_has_none() -> None:
    world = World()
    await world.price("openai:mine", usd_in="9")
    settings = Settings(pricing={"openai/mine": RATES, "groq:llama": RATES, "xai:*": RATES})

    await bootstrap.seed_prices(settings, world.storage)

    directory = world.storage.directory
    rows = await directory.prices.page(skip=0, limit=9)
    assert {row.model_key: row.input_usd_per_million for row in rows} == {
        "openai:mine": 9,
        "groq:llama": 1,
    }
    patterns = await directory.price_patterns.page(skip=0, limit=9)
    assert [row.model_key for row in patterns] == ["xai:*"]


@pytest.mark.parametrize(("providers", "count"), [({"mock", "openai"}, 1), ({"openai"}, 0)])
async def test_the_mock_has_a_price_where_it_is_offered(providers: set[str], count: int) -> None:
    world = World()
    await add_mock_price(world.storage.directory, providers)
    assert len(await world.storage.directory.prices.page(skip=0, limit=9)) == count


def test_the_first_model_to_try_is_a_configured_one_or_well_known_or_the_mocks() -> None:
    assert first_model({"groq", "mock"}, ["openai:mine", "groq:mine"]) == "groq:mine"
    assert first_model({"groq", "mock"}) == "groq:llama-3.1-8b-instant"
    assert first_model({"groq", "mock"}, has_catalogue=False) == "mock:hello"
    assert first_model({"nobody"}) is None


def test_a_deployment_that_wants_no_catalogue_has_none() -> None:
    settings = Settings()
    assert bootstrap.catalogue_of_prices(settings) is not None
    policy = replace(settings.policy, use_price_catalogue=False)
    assert bootstrap.catalogue_of_prices(replace(settings, policy=policy)) is None
