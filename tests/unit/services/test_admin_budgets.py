from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bursar.domain.accounts import key_account, pool_account
from bursar.domain.budgets import Budget, Scope
from bursar.domain.errors import Conflict, InvalidRequest, NotFound, Unprocessable
from bursar.domain.periods import Calendar
from bursar.domain.usage import ResetRecord
from bursar.services.admin_budgets import BudgetRequest
from bursar.services.admin_keys import KeyRequest
from bursar.services.admin_users import UserRequest
from tests.fakes.office import START, Office

DAY_S = 86_400
DAILY = BudgetRequest(max_budget_usd=Decimal(10), duration_s=DAY_S)
DAILY_POOL = replace(DAILY, scope=Scope.POOL)


@pytest.fixture
def office() -> Office:
    return Office()


async def new_budget(office: Office, wanted: BudgetRequest = DAILY) -> Budget:
    return (await office.services.budgets.create(wanted)).budget


async def change(office: Office, budget: Budget, **changes: Any) -> Budget:
    return (await office.services.budgets.change(budget.budget_id, changes)).budget


async def test_a_budget_for_each_has_no_spending_of_its_own(office: Office) -> None:
    standing = await office.services.budgets.create(DAILY)
    assert (standing.spend_usd, standing.next_reset_at) == (None, None)


async def test_a_pool_shows_what_its_period_has_spent(office: Office) -> None:
    pool = await new_budget(office, DAILY_POOL)
    await office.spend(pool_account(pool, office.now), "1.5")
    standing = await office.services.budgets.get(pool.budget_id)
    assert (standing.spend_usd, standing.next_reset_at) == (Decimal("1.5"), START.replace(day=11))
    office.wait(days=1)
    assert (await office.services.budgets.get(pool.budget_id)).spend_usd == 0


async def test_a_period_is_of_one_kind(office: Office) -> None:
    both = replace(DAILY, calendar=Calendar.DAY)
    with pytest.raises(Unprocessable, match="not both"):
        await office.services.budgets.create(both)
    budget = await new_budget(office)
    with pytest.raises(Unprocessable, match="not both"):
        await change(office, budget, duration_s=60, calendar=Calendar.DAY)
    assert (await office.services.budgets.get(budget.budget_id)).budget == budget


async def test_one_kind_of_period_replaces_the_other(office: Office) -> None:
    budget = await new_budget(office)
    aligned = await change(office, budget, calendar=Calendar.WEEK)
    assert (aligned.calendar, aligned.duration_s) == (Calendar.WEEK, None)
    rolling = await change(office, aligned, duration_s=60)
    assert (rolling.calendar, rolling.duration_s) == (None, 60)


async def test_none_clears_limit_and_period_and_the_time_zone_becomes_utc(office: Office) -> None:
    budget = await new_budget(office, replace(DAILY, time_zone="Asia/Tokyo"))
    cleared = await change(office, budget, max_budget_usd=None, duration_s=None, time_zone=None)
    assert (cleared.max_budget_usd, cleared.duration_s, cleared.time_zone) == (None, None, "UTC")


async def test_changes_touch_only_what_they_name(office: Office) -> None:
    budget = await new_budget(office)
    office.wait(hours=1)
    changed = await change(office, budget, max_budget_usd=Decimal(20))
    assert changed == replace(budget, max_budget_usd=Decimal(20), updated_at=office.now)


async def test_a_changed_period_takes_every_holders_spending_along(office: Office) -> None:
    budget = await new_budget(office)
    await office.services.users.create(UserRequest("alice", budget_id=budget.budget_id))
    key = (await office.services.keys.create(KeyRequest(budget_id=budget.budget_id))).record
    await office.spend_as("alice", "3")
    before = key_account(key, budget, office.now)
    assert before is not None
    await office.spend(before, "4")
    office.wait(hours=1)

    changed = await change(office, budget, calendar=Calendar.MONTH)

    standing = await office.services.users.get("alice")
    assert standing.spend_usd == 3
    assert standing.next_reset_at == datetime(2026, 2, 1, tzinfo=UTC)
    after = key_account(key, changed, office.now)
    assert after is not None
    assert (await office.services.ledger.balances([after]))[after].committed_usd == 4


async def test_a_changed_period_takes_a_pools_spending_along(office: Office) -> None:
    pool = await new_budget(office, DAILY_POOL)
    await office.spend(pool_account(pool, office.now), "3")
    await change(office, pool, calendar=Calendar.MONTH)
    assert (await office.services.budgets.get(pool.budget_id)).spend_usd == 3


async def test_the_scope_changes_only_while_nobody_has_the_budget(office: Office) -> None:
    budget = await new_budget(office)
    assert (await change(office, budget, scope=Scope.POOL)).scope is Scope.POOL
    await office.services.users.create(UserRequest("alice", budget_id=budget.budget_id))
    with pytest.raises(Conflict, match="in use by 1 user and 0 API keys"):
        await change(office, budget, scope=Scope.EACH)


async def test_a_budget_in_use_is_not_deleted(office: Office) -> None:
    budget = await new_budget(office)
    await office.services.users.create(UserRequest("alice", budget_id=budget.budget_id))
    await office.services.keys.create(KeyRequest(user_id="bob", budget_id=budget.budget_id))
    with pytest.raises(Conflict, match="in use by 1 user and 1 API key"):
        await office.services.budgets.remove(budget.budget_id, detach=False)
    assert (await office.services.users.get("alice")).user.budget_id == budget.budget_id


async def test_detaching_takes_the_budget_from_its_holders_and_keeps_their_spending(
    office: Office,
) -> None:
    budget = await new_budget(office)
    await office.services.users.create(UserRequest("alice", budget_id=budget.budget_id))
    key = (await office.services.keys.create(KeyRequest(budget_id=budget.budget_id))).record
    await office.spend_as("alice", "3")
    await office.services.budgets.remove(budget.budget_id, detach=True)
    standing = await office.services.users.get("alice")
    assert (standing.user.budget_id, standing.spend_usd) == (None, Decimal(3))
    assert (await office.services.keys.get(key.key_id)).budget_id is None
    with pytest.raises(NotFound):
        await office.services.budgets.get(budget.budget_id)


async def test_a_deleted_user_does_not_hold_on_to_a_budget(office: Office) -> None:
    budget = await new_budget(office)
    await office.services.users.create(UserRequest("alice", budget_id=budget.budget_id))
    await office.services.users.remove("alice")
    await office.services.budgets.remove(budget.budget_id, detach=False)


async def test_unknown_budgets_are_not_found(office: Office) -> None:
    budgets = office.services.budgets
    for attempt in (
        budgets.get("nope"),
        budgets.change("nope", {}),
        budgets.remove("nope", detach=True),
        budgets.resets("nope", limit=1, cursor=None),
    ):
        with pytest.raises(NotFound, match=r"^Budget with id 'nope' not found$"):
            await attempt


async def test_resets_are_read_newest_first_page_by_page(office: Office) -> None:
    budget = await new_budget(office)
    for day in range(3):
        start = START + timedelta(days=day)
        end = start + timedelta(days=1)
        await office.services.reset_log.append(
            ResetRecord(budget.budget_id, "user/alice", start, end, None, Decimal(day))
        )
    first, cursor = await office.services.budgets.resets(budget.budget_id, limit=2, cursor=None)
    assert [reset.previous_spend_usd for reset in first] == [2, 1]
    rest, end_of_log = await office.services.budgets.resets(
        budget.budget_id, limit=2, cursor=cursor
    )
    assert [reset.previous_spend_usd for reset in rest] == [0]
    assert end_of_log is None
    with pytest.raises(InvalidRequest):
        await office.services.budgets.resets(budget.budget_id, limit=2, cursor="?")
