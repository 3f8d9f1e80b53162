"""Prices that several administrators state at once, on every store."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bursar.services.admin_prices import PriceAdministration, PriceRequest

if TYPE_CHECKING:
    from tests.contracts.stores import Ports

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


async def test_of_prices_that_are_stated_at_once_none_is_lost(ports: Ports) -> None:
    prices = PriceAdministration(ports.directory, lambda: NOW)
    days = [NOW + timedelta(days=day) for day in range(1, 9)]
    await asyncio.gather(
        *(
            prices.set(PriceRequest("openai:m", Decimal(number), Decimal(1), effective_from=date))
            for number, date in enumerate(days)
        )
    )
    price = await prices.get("openai:m")
    assert [each.effective_from for each in (price, *price.upcoming)] == days
    assert len(await prices.history("openai:m")) == len(days)


async def test_of_a_price_and_its_removal_at_once_the_later_statement_stands(ports: Ports) -> None:
    prices = PriceAdministration(ports.directory, lambda: NOW)
    await prices.set(PriceRequest("openai:m*", Decimal(1), Decimal(1)))
    await asyncio.gather(
        prices.remove("openai:m*"),
        prices.set(PriceRequest("openai:m*", Decimal(2), Decimal(2))),
        return_exceptions=True,
    )
    newest, *_ = await prices.history("openai:m*")
    rows = await ports.directory.price_patterns.page(skip=0, limit=9)
    assert [row.input_usd_per_million for row in rows] == (
        [] if newest.price is None else [newest.price.input_usd_per_million]
    )
