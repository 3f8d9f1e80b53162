from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar.domain.budgets import AccountKey, pool_subject, user_subject
from bursar.domain.holds import Balance, Hold, Shortfall
from bursar.domain.ids import request_id
from bursar.domain.periods import Calendar, Period, calendar

if TYPE_CHECKING:
    from bursar.ports import Ledger
    from tests.contracts.stores import Ports

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
MONTH = calendar(Calendar.MONTH, "Europe/Berlin", NOW)
ACCOUNT = AccountKey(user_subject("alice"), MONTH)
LIMIT = Decimal(10)
QUANTUM = Decimal("0.000000000001")


@pytest.fixture
def ledger(ports: Ports) -> Ledger:
    return ports.ledger


def hold_of(amount_usd: str, user_id: str = "alice") -> Hold:
    return Hold(request_id(NOW), Decimal(amount_usd), NOW + timedelta(minutes=15), user_id)


async def balance_of(ledger: Ledger, account: AccountKey = ACCOUNT) -> Balance | None:
    return (await ledger.balances([account])).get(account)


async def open_ones(ledger: Ledger) -> set[AccountKey]:
    return {account async for account in ledger.open_accounts()}


async def test_a_first_reservation_brings_its_account_into_being(ledger: Ledger) -> None:
    hold = hold_of("1.5")

    assert await ledger.reserve(ACCOUNT, hold, LIMIT) is None

    assert await balance_of(ledger) == Balance(Decimal("1.5"), {hold.hold_id: hold})


async def test_reservations_add_up_to_exactly_the_limit(ledger: Ledger) -> None:
    assert await ledger.reserve(ACCOUNT, hold_of("4"), LIMIT) is None
    assert await ledger.reserve(ACCOUNT, hold_of("6"), LIMIT) is None

    balance = await balance_of(ledger)
    assert balance is not None
    assert balance.committed_usd == balance.held_usd == LIMIT


async def test_the_smallest_amount_over_the_limit_is_refused(ledger: Ledger) -> None:
    await ledger.reserve(ACCOUNT, hold_of("9.9"), LIMIT)

    refused = await ledger.reserve(ACCOUNT, hold_of(str(Decimal("0.1") + QUANTUM)), LIMIT)

    assert refused == Shortfall(Decimal("0.1"))
    assert await ledger.reserve(ACCOUNT, hold_of("0.1"), LIMIT) is None


async def test_a_refused_reserve_leaves_the_account_unchanged(ledger: Ledger) -> None:
    await ledger.reserve(ACCOUNT, hold_of("9"), LIMIT)
    before = await balance_of(ledger)

    await ledger.reserve(ACCOUNT, hold_of("2"), LIMIT)

    assert await balance_of(ledger) == before


async def test_a_refused_first_reservation_brings_nothing_into_being(ledger: Ledger) -> None:
    assert await ledger.reserve(ACCOUNT, hold_of("10.01"), LIMIT) == Shortfall(LIMIT)

    assert await balance_of(ledger) is None
    assert await open_ones(ledger) == set()


async def test_what_is_left_is_never_negative(ledger: Ledger) -> None:
    hold = hold_of("1")
    await ledger.reserve(ACCOUNT, hold, LIMIT)
    await ledger.settle(ACCOUNT, hold, Decimal(25))

    assert await ledger.reserve(ACCOUNT, hold_of("1"), LIMIT) == Shortfall(Decimal(0))


async def test_a_lowered_limit_refuses_what_the_old_one_would_have_held(ledger: Ledger) -> None:
    await ledger.reserve(ACCOUNT, hold_of("9"), LIMIT)

    assert await ledger.reserve(ACCOUNT, hold_of("1"), Decimal(5)) == Shortfall(Decimal(0))


async def test_without_a_limit_any_amount_is_held(ledger: Ledger) -> None:
    assert await ledger.reserve(ACCOUNT, hold_of("1000000"), None) is None
    assert await ledger.reserve(ACCOUNT, hold_of("1000000"), None) is None

    balance = await balance_of(ledger)
    assert balance is not None
    assert balance.committed_usd == 2_000_000


async def test_nothing_can_be_held_at_no_cost_even_when_the_limit_is_reached(
    ledger: Ledger,
) -> None:
    await ledger.reserve(ACCOUNT, hold_of("10"), LIMIT)

    assert await ledger.reserve(ACCOUNT, hold_of("0"), LIMIT) is None


@pytest.mark.parametrize("limit", [LIMIT, Decimal(6), None])
async def test_the_same_hold_is_made_once(ledger: Ledger, limit: Decimal | None) -> None:
    hold = hold_of("6")
    await ledger.reserve(ACCOUNT, hold, limit)

    assert await ledger.reserve(ACCOUNT, hold, limit) is None

    balance = await balance_of(ledger)
    assert balance is not None
    assert balance.committed_usd == 6


async def test_settling_replaces_the_hold_by_the_cost(ledger: Ledger) -> None:
    kept, settled = hold_of("2"), hold_of("3")
    await ledger.reserve(ACCOUNT, kept, LIMIT)
    await ledger.reserve(ACCOUNT, settled, LIMIT)

    assert await ledger.settle(ACCOUNT, settled, Decimal("0.25"))

    assert await balance_of(ledger) == Balance(Decimal("2.25"), {kept.hold_id: kept})


async def test_a_hold_settles_exactly_once(ledger: Ledger) -> None:
    hold = hold_of("3")
    await ledger.reserve(ACCOUNT, hold, LIMIT)

    outcomes = await asyncio.gather(
        *(ledger.settle(ACCOUNT, hold, Decimal(cost)) for cost in (1, 1, 1, 1))
    )

    assert sorted(outcomes) == [False, False, False, True]
    assert await balance_of(ledger) == Balance(Decimal(1))


async def test_a_cost_above_the_hold_and_the_limit_is_recorded(ledger: Ledger) -> None:
    hold = hold_of("9")
    await ledger.reserve(ACCOUNT, hold, LIMIT)

    assert await ledger.settle(ACCOUNT, hold, Decimal("12.5"))

    assert await balance_of(ledger) == Balance(Decimal("12.5"))


async def test_a_hold_that_was_never_made_does_not_settle(ledger: Ledger) -> None:
    assert not await ledger.settle(ACCOUNT, hold_of("1"), Decimal(1))
    assert await balance_of(ledger) is None

    await ledger.reserve(ACCOUNT, hold_of("1"), LIMIT)

    assert not await ledger.settle(ACCOUNT, hold_of("1"), Decimal(1))


async def test_a_hold_of_another_amount_does_not_settle(ledger: Ledger) -> None:
    hold = hold_of("3")
    await ledger.reserve(ACCOUNT, hold, LIMIT)

    assert not await ledger.settle(ACCOUNT, replace(hold, amount_usd=Decimal(2)), Decimal(1))

    assert await balance_of(ledger) == Balance(Decimal(3), {hold.hold_id: hold})


async def test_an_amount_written_with_trailing_zeros_is_the_same_amount(ledger: Ledger) -> None:
    hold = hold_of("3.100")
    await ledger.reserve(ACCOUNT, hold, LIMIT)

    assert await ledger.settle(ACCOUNT, replace(hold, amount_usd=Decimal("3.1")), Decimal(1))


@pytest.mark.parametrize("amount", ["0", "1", "2.999999999999", "3.5", "10"])
async def test_an_adjusted_hold_has_the_new_amount_and_nothing_else_moves(
    ledger: Ledger, amount: str
) -> None:
    hold, other = hold_of("3"), hold_of("0")
    await ledger.reserve(ACCOUNT, hold, LIMIT)
    await ledger.reserve(ACCOUNT, other, LIMIT)

    assert await ledger.adjust(ACCOUNT, hold, Decimal(amount), LIMIT) is None

    adjusted = replace(hold, amount_usd=Decimal(amount))
    both = {hold.hold_id: adjusted, other.hold_id: other}
    assert await balance_of(ledger) == Balance(Decimal(amount), both)


async def test_the_smallest_amount_that_does_not_fit_any_more_is_not_adjusted_to(
    ledger: Ledger,
) -> None:
    hold, other = hold_of("3"), hold_of("5.5")
    await ledger.reserve(ACCOUNT, hold, LIMIT)
    await ledger.reserve(ACCOUNT, other, LIMIT)
    before = await balance_of(ledger)

    refused = await ledger.adjust(ACCOUNT, hold, Decimal("4.5") + QUANTUM, LIMIT)

    assert refused == Shortfall(Decimal("4.5"))
    assert await balance_of(ledger) == before
    assert await ledger.adjust(ACCOUNT, hold, Decimal("4.5"), LIMIT) is None


@pytest.mark.parametrize("limit", [Decimal(1), None])
async def test_a_hold_becomes_smaller_whatever_the_limit(
    ledger: Ledger, limit: Decimal | None
) -> None:
    hold = hold_of("3")
    await ledger.reserve(ACCOUNT, hold, LIMIT)

    assert await ledger.adjust(ACCOUNT, hold, Decimal("2.5"), limit) is None


async def test_without_a_limit_a_hold_becomes_larger(ledger: Ledger) -> None:
    hold = hold_of("3")
    await ledger.reserve(ACCOUNT, hold, None)

    assert await ledger.adjust(ACCOUNT, hold, Decimal(5_000), None) is None


async def test_under_a_limit_that_was_lowered_meanwhile_a_hold_keeps_what_it_has(
    ledger: Ledger,
) -> None:
    hold = hold_of("3")
    await ledger.reserve(ACCOUNT, hold, LIMIT)

    assert await ledger.adjust(ACCOUNT, hold, Decimal(4), Decimal(2)) == Shortfall(Decimal(3))


async def test_the_same_adjustment_is_made_once(ledger: Ledger) -> None:
    hold = hold_of("3")
    await ledger.reserve(ACCOUNT, hold, LIMIT)

    answers = await asyncio.gather(
        *(ledger.adjust(ACCOUNT, hold, Decimal(6), LIMIT) for _ in range(5))
    )

    assert answers == [None] * 5
    balance = await balance_of(ledger)
    assert balance is not None
    assert balance.committed_usd == 6


async def test_an_adjusted_hold_settles_by_its_new_amount_only(ledger: Ledger) -> None:
    hold = hold_of("3")
    await ledger.reserve(ACCOUNT, hold, LIMIT)
    await ledger.adjust(ACCOUNT, hold, Decimal(6), LIMIT)

    assert not await ledger.settle(ACCOUNT, hold, Decimal(1))
    assert await ledger.settle(ACCOUNT, replace(hold, amount_usd=Decimal(6)), Decimal(1))

    assert await balance_of(ledger) == Balance(Decimal(1))


async def test_what_is_not_held_in_that_amount_is_not_adjusted(ledger: Ledger) -> None:
    hold, nothing = hold_of("3"), Shortfall(Decimal(0))
    assert await ledger.adjust(ACCOUNT, hold, Decimal(1), LIMIT) == nothing
    assert await balance_of(ledger) is None

    await ledger.reserve(ACCOUNT, hold, LIMIT)
    other = replace(hold, amount_usd=Decimal(2))
    assert await ledger.adjust(ACCOUNT, other, Decimal(1), LIMIT) == nothing
    assert await ledger.adjust(ACCOUNT, hold_of("3"), Decimal(1), None) == nothing
    assert await balance_of(ledger) == Balance(Decimal(3), {hold.hold_id: hold})

    await ledger.settle(ACCOUNT, hold, Decimal(1))
    assert await ledger.adjust(ACCOUNT, hold, Decimal(3), LIMIT) == nothing
    assert await ledger.adjust(ACCOUNT, hold, Decimal(0), LIMIT) == nothing
    assert await balance_of(ledger) == Balance(Decimal(1))


async def test_an_adjusted_hold_keeps_its_deadline_and_its_user(ledger: Ledger) -> None:
    pool, hold = AccountKey(pool_subject("team"), MONTH), hold_of("1", "bob")
    await ledger.reserve(pool, hold, LIMIT)

    await ledger.adjust(pool, hold, Decimal(2), LIMIT)

    adjusted = replace(hold, amount_usd=Decimal(2))
    assert await balance_of(ledger, pool) == Balance(Decimal(2), {hold.hold_id: adjusted})


async def test_of_many_adjustments_at_once_only_what_fits_is_held(ledger: Ledger) -> None:
    holds = [hold_of("0.1") for _ in range(20)]
    for hold in holds:
        await ledger.reserve(ACCOUNT, hold, LIMIT)

    refusals = await asyncio.gather(
        *(ledger.adjust(ACCOUNT, hold, Decimal("1.1"), LIMIT) for hold in holds)
    )

    assert refusals.count(None) == 8
    balance = await balance_of(ledger)
    assert balance is not None
    assert (len(balance.holds), balance.committed_usd) == (20, LIMIT)


async def test_releasing_gives_the_whole_hold_back(ledger: Ledger) -> None:
    hold = hold_of("3")
    await ledger.reserve(ACCOUNT, hold, LIMIT)

    assert await ledger.release(ACCOUNT, hold)
    assert not await ledger.release(ACCOUNT, hold)

    assert await balance_of(ledger) == Balance(Decimal(0))


async def test_released_money_can_be_reserved_again(ledger: Ledger) -> None:
    hold = hold_of("10")
    await ledger.reserve(ACCOUNT, hold, LIMIT)
    await ledger.release(ACCOUNT, hold)

    assert await ledger.reserve(ACCOUNT, hold_of("10"), LIMIT) is None


async def test_amounts_stay_exact_to_the_smallest_unit(ledger: Ledger) -> None:
    holds = [hold_of("123456789.123456789012") for _ in range(7)]
    for hold in holds:
        await ledger.reserve(ACCOUNT, hold, None)
    for hold in holds:
        await ledger.settle(ACCOUNT, hold, Decimal("98765432.100000000007"))

    assert await balance_of(ledger) == Balance(Decimal("691358024.700000000049"))


async def test_a_holds_deadline_is_kept_to_the_second(ledger: Ledger) -> None:
    hold = replace(hold_of("1"), deadline=NOW.replace(microsecond=999_999))
    await ledger.reserve(ACCOUNT, hold, LIMIT)

    balance = await balance_of(ledger)
    assert balance is not None
    assert balance.holds[hold.hold_id].deadline == NOW


async def test_holds_in_a_pool_tell_whose_they_are(ledger: Ledger) -> None:
    pool = AccountKey(pool_subject("team"), MONTH)
    mine, theirs = hold_of("1", "alice"), hold_of("2", "bob")
    await ledger.reserve(pool, mine, LIMIT)
    await ledger.reserve(pool, theirs, LIMIT)

    balance = await balance_of(ledger, pool)
    assert balance == Balance(Decimal(3), {mine.hold_id: mine, theirs.hold_id: theirs})


async def test_accounts_of_other_subjects_and_periods_are_apart(ledger: Ledger) -> None:
    after = calendar(Calendar.MONTH, "Europe/Berlin", NOW + timedelta(days=30))
    others = [
        AccountKey(user_subject("bob"), MONTH),
        AccountKey(user_subject("alice"), after),
        AccountKey(user_subject("alice"), Period(MONTH.start)),
    ]
    await ledger.reserve(ACCOUNT, hold_of("10"), LIMIT)

    for other in others:
        assert await ledger.reserve(other, hold_of("10"), LIMIT) is None

    assert set(await ledger.balances([ACCOUNT, *others])) == {ACCOUNT, *others}


async def test_balances_leave_out_accounts_that_do_not_exist(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT, Decimal(1))

    found = await ledger.balances([ACCOUNT, AccountKey("user/nobody", MONTH), ACCOUNT])

    assert found == {ACCOUNT: Balance(Decimal(1))}
    assert await ledger.balances([]) == {}


async def test_balances_of_very_many_accounts_are_all_read(ledger: Ledger) -> None:
    accounts = [AccountKey(user_subject(f"user-{number}"), MONTH) for number in range(230)]
    for number, account in enumerate(accounts):
        await ledger.open(account, Decimal(number))

    found = await ledger.balances(accounts)

    assert [found[account].committed_usd for account in accounts] == list(range(230))


async def test_an_account_opens_with_what_was_spent_before(ledger: Ledger) -> None:
    assert await ledger.open(ACCOUNT, Decimal("7.50"))

    assert await balance_of(ledger) == Balance(Decimal("7.5"))
    assert await ledger.reserve(ACCOUNT, hold_of("3"), LIMIT) == Shortfall(Decimal("2.5"))


async def test_an_account_that_exists_does_not_open_again(ledger: Ledger) -> None:
    hold = hold_of("1")
    await ledger.reserve(ACCOUNT, hold, LIMIT)

    assert not await ledger.open(ACCOUNT, Decimal(7))

    assert await balance_of(ledger) == Balance(Decimal(1), {hold.hold_id: hold})


async def test_open_accounts_are_listed_with_their_periods(ledger: Ledger) -> None:
    periods = [MONTH, Period(NOW), Period(NOW, NOW + timedelta(seconds=1))]
    accounts = {
        AccountKey(user_subject(f"user|{number}#/é"), period)
        for number in range(40)
        for period in periods
    }
    for account in accounts:
        await ledger.open(account, Decimal(0))

    assert await open_ones(ledger) == accounts


async def test_a_closed_account_is_no_longer_listed_and_keeps_its_balance(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT, Decimal(4))

    assert await ledger.close(ACCOUNT)

    assert await open_ones(ledger) == set()
    assert await balance_of(ledger) == Balance(Decimal(4))


@pytest.mark.parametrize("limit", [LIMIT, None])
async def test_a_closed_account_holds_nothing_more(ledger: Ledger, limit: Decimal | None) -> None:
    await ledger.open(ACCOUNT, Decimal(4))
    await ledger.close(ACCOUNT)

    assert await ledger.reserve(ACCOUNT, hold_of("0.01"), limit) == Shortfall(Decimal(0))

    assert await balance_of(ledger) == Balance(Decimal(4))


async def test_an_account_with_an_open_hold_does_not_close(ledger: Ledger) -> None:
    hold = hold_of("1")
    await ledger.reserve(ACCOUNT, hold, LIMIT)

    assert not await ledger.close(ACCOUNT)

    await ledger.settle(ACCOUNT, hold, Decimal(1))
    assert await ledger.close(ACCOUNT)


async def test_an_account_closes_once_and_only_if_it_exists(ledger: Ledger) -> None:
    assert not await ledger.close(ACCOUNT)
    assert await balance_of(ledger) is None

    await ledger.open(ACCOUNT, Decimal(0))

    assert await ledger.close(ACCOUNT)
    assert not await ledger.close(ACCOUNT)


async def test_a_closed_account_does_not_open_again(ledger: Ledger) -> None:
    await ledger.open(ACCOUNT, Decimal(4))
    await ledger.close(ACCOUNT)

    assert not await ledger.open(ACCOUNT, Decimal(0))
    assert await open_ones(ledger) == set()


async def test_of_many_first_reservations_at_once_only_what_fits_is_held(ledger: Ledger) -> None:
    refusals = await asyncio.gather(
        *(ledger.reserve(ACCOUNT, hold_of("0.3"), LIMIT) for _ in range(50))
    )

    assert refusals.count(None) == 33
    balance = await balance_of(ledger)
    assert balance is not None
    assert (len(balance.holds), balance.committed_usd) == (33, Decimal("9.9"))
