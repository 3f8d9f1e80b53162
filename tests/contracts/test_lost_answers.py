"""Every write carried out twice, as when its first answer is lost and the client tries again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.holds import Balance, Shortfall
from bursar.domain.rates import RateLimit
from bursar.store.errors import ConditionFailed
from tests.contracts.stores import dynamo_ports, new_table, signed_call
from tests.contracts.test_directory import FULL_KEY, FULL_USER, USER
from tests.contracts.test_ledger import ACCOUNT, LIMIT, balance_of, hold_of, open_ones
from tests.contracts.test_reset_log import ENTRY
from tests.contracts.test_usage_log import FULL, NOW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bursar.store.call import Call
    from tests.contracts.stores import Ports


class CarriedOutTwice:
    """A `Call` that loses the first answer to every write."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation not in {"PutItem", "UpdateItem", "DeleteItem"}:
            return await self._call(operation, request)
        with suppress(ConditionFailed):
            await self._call(operation, request)
        try:
            return await self._call(operation, request)
        except ConditionFailed as failed:
            raise ConditionFailed(operation, failed.item, is_repeat=True) from None


@pytest.fixture
async def ports(engine_endpoint: str) -> AsyncIterator[Ports]:
    call = signed_call(engine_endpoint)
    yield dynamo_ports(CarriedOutTwice(call), await new_table(call))
    await call.close()


async def test_a_reservation_repeated_is_held_once(ports: Ports) -> None:
    first, second = hold_of("4"), hold_of("6")

    assert await ports.ledger.reserve(ACCOUNT, first, LIMIT) is None
    assert await ports.ledger.reserve(ACCOUNT, second, LIMIT) is None
    assert await ports.ledger.reserve(ACCOUNT, hold_of("0.5"), LIMIT) == Shortfall(Decimal(0))

    both = {hold.hold_id: hold for hold in (first, second)}
    assert await balance_of(ports.ledger) == Balance(LIMIT, both)


@pytest.mark.parametrize("amount", ["1", "6"])
async def test_an_adjustment_repeated_moves_its_money_once(ports: Ports, amount: str) -> None:
    hold = hold_of("4")
    await ports.ledger.reserve(ACCOUNT, hold, LIMIT)

    assert await ports.ledger.adjust(ACCOUNT, hold, Decimal(amount), LIMIT) is None

    adjusted = replace(hold, amount_usd=Decimal(amount))
    assert await balance_of(ports.ledger) == Balance(Decimal(amount), {hold.hold_id: adjusted})


async def test_a_settlement_repeated_moves_its_money_once(ports: Ports) -> None:
    hold = hold_of("4")
    await ports.ledger.reserve(ACCOUNT, hold, LIMIT)

    await ports.ledger.settle(ACCOUNT, hold, Decimal(1))

    assert await balance_of(ports.ledger) == Balance(Decimal(1))


async def test_an_opening_repeated_is_told_as_one_and_anothers_is_not(ports: Ports) -> None:
    assert await ports.ledger.open(ACCOUNT, Decimal("2.50"))
    assert not await ports.ledger.open(ACCOUNT, Decimal(3))

    assert await balance_of(ports.ledger) == Balance(Decimal("2.5"))


async def test_a_closing_repeated_closes(ports: Ports) -> None:
    await ports.ledger.open(ACCOUNT, Decimal(1))

    await ports.ledger.close(ACCOUNT)

    assert await open_ones(ports.ledger) == set()


async def test_an_addition_repeated_is_told_as_one_and_anothers_is_not(ports: Ports) -> None:
    assert await ports.directory.users.add(FULL_USER)
    assert not await ports.directory.users.add(replace(USER, user_id=FULL_USER.user_id))

    assert await ports.directory.users.get(FULL_USER.user_id) == FULL_USER


async def test_a_change_repeated_changes_once(ports: Ports) -> None:
    await ports.directory.keys.put(FULL_KEY)

    changed = await ports.directory.keys.change(FULL_KEY.key_id, {"is_active": None})

    assert changed == replace(FULL_KEY, is_active=True)


async def test_a_record_repeated_is_the_record(ports: Ports) -> None:
    assert await ports.usage_log.record(FULL) == FULL
    assert await ports.usage_log.record(replace(FULL, cost_usd=None)) == FULL


async def test_a_reset_repeated_is_told_as_one_and_anothers_is_not(ports: Ports) -> None:
    assert await ports.reset_log.append(ENTRY)
    assert not await ports.reset_log.append(replace(ENTRY, previous_spend_usd=Decimal(7)))


async def test_a_rate_windows_count_repeated_errs_on_the_safe_side(ports: Ports) -> None:
    limit = RateLimit("key/one", requests_max=3)

    first = await ports.rate_limiter.take(limit, tokens=1, now=NOW)
    second = await ports.rate_limiter.take(limit, tokens=1, now=NOW)

    assert (first.requests, first.is_over) == (2, False)
    assert (second.requests, second.is_over) == (3, True)
