"""Many reservations at once, over the connections of several clients, on each engine."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar.domain.budgets import AccountKey, user_subject
from bursar.domain.holds import Balance, Hold
from bursar.domain.ids import request_id
from bursar.domain.periods import Period
from bursar.store.ledger import DynamoLedger
from tests.contracts.stores import new_table, signed_call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
ACCOUNT = AccountKey(user_subject("alice"), Period(NOW))
LIMIT = Decimal(2)
QUOTE = Decimal("0.1")
CLIENTS = 5


@pytest.fixture
async def ledgers(engine_endpoint: str) -> AsyncIterator[list[DynamoLedger]]:
    calls = [signed_call(engine_endpoint) for _ in range(CLIENTS)]
    table_name = await new_table(calls[0])
    yield [DynamoLedger(call, table_name) for call in calls]
    await asyncio.gather(*(call.close() for call in calls))


def a_hold() -> Hold:
    return Hold(request_id(NOW), QUOTE, NOW + timedelta(minutes=15), "alice")


async def test_of_200_reservations_on_a_budget_for_20_exactly_20_are_held(
    ledgers: list[DynamoLedger],
) -> None:
    holds = [a_hold() for _ in range(200)]

    refusals = await asyncio.gather(
        *(
            ledgers[number % CLIENTS].reserve(ACCOUNT, hold, LIMIT)
            for number, hold in enumerate(holds)
        )
    )

    held = {
        hold.hold_id: hold for hold, refusal in zip(holds, refusals, strict=True) if refusal is None
    }
    assert len(held) == 20
    balances = await ledgers[0].balances([ACCOUNT])
    assert balances[ACCOUNT] == Balance(LIMIT, held)


async def test_requests_that_reserve_and_settle_at_once_never_spend_more_than_the_limit(
    ledgers: list[DynamoLedger],
) -> None:
    chance = random.Random(7)  # noqa: S311 (spreads costs, guards nothing)
    costs: list[Decimal] = []

    async def request(ledger: DynamoLedger) -> None:
        hold, cost = a_hold(), Decimal(chance.randrange(1, 100)) / 1_000
        if await ledger.reserve(ACCOUNT, hold, LIMIT) is None:
            settled = await asyncio.gather(
                ledger.settle(ACCOUNT, hold, cost), ledgers[0].settle(ACCOUNT, hold, cost)
            )
            assert sorted(settled) == [False, True]
            costs.append(cost)

    await asyncio.gather(*(request(ledgers[number % CLIENTS]) for number in range(200)))

    balances = await ledgers[0].balances([ACCOUNT])
    assert balances[ACCOUNT] == Balance(sum(costs, Decimal(0)))
    assert len(costs) >= 20
    assert balances[ACCOUNT].committed_usd <= LIMIT
