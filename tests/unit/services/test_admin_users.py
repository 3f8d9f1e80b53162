from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bursar.domain.budgets import Scope
from bursar.domain.errors import Conflict, NotFound
from bursar.domain.periods import Calendar
from bursar.services.admin_budgets import BudgetRequest
from bursar.services.admin_keys import KeyRequest
from bursar.services.admin_users import UserRequest, UserStanding
from tests.fakes.office import START, Office

DAY_S = 86_400
DAILY = BudgetRequest(max_budget_usd=Decimal(10), duration_s=DAY_S)
MONTHLY = BudgetRequest(max_budget_usd=Decimal(10), calendar=Calendar.MONTH)
MONTHLY_POOL = BudgetRequest(calendar=Calendar.MONTH, scope=Scope.POOL)


@pytest.fixture
def office() -> Office:
    return Office()


async def new_budget(office: Office, wanted: BudgetRequest = DAILY) -> str:
    return (await office.services.budgets.create(wanted)).budget.budget_id


async def alice_on(office: Office, wanted: BudgetRequest = DAILY) -> UserStanding:
    return await office.services.users.create(
        UserRequest("alice", budget_id=await new_budget(office, wanted))
    )


async def assign(office: Office, budget_id: str | None) -> UserStanding:
    return await office.services.users.change("alice", {"budget_id": budget_id})


async def test_a_new_user_has_spent_nothing_and_is_never_reset(office: Office) -> None:
    standing = await office.services.users.create(UserRequest("alice", alias="Alice"))
    assert standing.user.alias == "Alice"
    assert (standing.spend_usd, standing.period_start, standing.next_reset_at) == (
        Decimal(0),
        None,
        None,
    )


async def test_a_budget_starts_with_its_assignment(office: Office) -> None:
    standing = await alice_on(office)
    assert standing.period_start == START
    assert standing.next_reset_at == START + timedelta(days=1)


async def test_periods_keep_their_phase_whenever_somebody_looks(office: Office) -> None:
    await alice_on(office)
    office.wait(days=3, hours=5)
    standing = await office.services.users.get("alice")
    assert standing.period_start == START + timedelta(days=3)
    assert standing.next_reset_at == START + timedelta(days=4)


async def test_a_user_can_be_added_once(office: Office) -> None:
    await office.services.users.create(UserRequest("alice"))
    with pytest.raises(Conflict, match=r"^User with id 'alice' already exists$"):
        await office.services.users.create(UserRequest("alice", alias="Another"))
    assert (await office.services.users.get("alice")).user.alias is None


async def test_a_user_with_an_unknown_budget_is_not_added(office: Office) -> None:
    with pytest.raises(NotFound, match=r"^Budget with id 'nope' not found$"):
        await office.services.users.create(UserRequest("alice", budget_id="nope"))
    with pytest.raises(NotFound, match=r"^User with id 'alice' not found$"):
        await office.services.users.get("alice")


async def test_spending_is_that_of_the_current_period_without_holds(office: Office) -> None:
    await alice_on(office)
    await office.spend_as("alice", "1.000000000001")
    await office.hold(await office.account_of("alice"), "4")
    assert (await office.services.users.get("alice")).spend_usd == Decimal("1.000000000001")
    office.wait(days=1)
    assert (await office.services.users.get("alice")).spend_usd == 0


async def test_another_budget_restarts_the_period_and_keeps_the_spending(office: Office) -> None:
    await alice_on(office)
    await office.spend_as("alice", "3")
    office.wait(hours=6)
    standing = await assign(office, await new_budget(office))
    assert standing.spend_usd == 3
    assert standing.period_start == START + timedelta(hours=6)


async def test_naming_the_same_budget_restarts_the_period_too(office: Office) -> None:
    budget_id = (await alice_on(office)).user.budget_id
    await office.spend_as("alice", "3")
    office.wait(hours=6)
    standing = await assign(office, budget_id)
    assert (standing.spend_usd, standing.period_start) == (Decimal(3), START + timedelta(hours=6))


async def test_open_holds_are_carried_as_spent(office: Office) -> None:
    await alice_on(office)
    old = await office.account_of("alice")
    hold = await office.hold(old, "2")
    office.wait(hours=1)
    await assign(office, await new_budget(office))
    assert (await office.services.users.get("alice")).spend_usd == 2
    assert await office.services.ledger.settle(old, hold, Decimal(1))


async def test_losing_a_budget_keeps_the_spending_and_ends_the_resets(office: Office) -> None:
    await alice_on(office)
    await office.spend_as("alice", "3")
    office.wait(hours=1)
    standing = await assign(office, None)
    assert (standing.spend_usd, standing.next_reset_at) == (Decimal(3), None)
    assert standing.period_start is None


async def test_a_first_budget_counts_what_was_spent_before_it(office: Office) -> None:
    await office.services.users.create(UserRequest("alice"))
    await office.spend_as("alice", "3")
    office.wait(hours=1)
    assert (await assign(office, await new_budget(office))).spend_usd == 3


async def test_what_earlier_periods_closed_over_does_not_come_back_with_detaching(
    office: Office,
) -> None:
    await office.services.users.create(UserRequest("alice"))
    await office.spend_as("alice", "3")
    await assign(office, await new_budget(office))
    office.wait(days=2)
    await office.spend_as("alice", "1")
    assert (await assign(office, None)).spend_usd == 1


async def test_clearing_a_budget_that_is_not_there_changes_no_account(office: Office) -> None:
    await office.services.users.create(UserRequest("alice"))
    before = await office.account_of("alice")
    office.wait(hours=1)
    await assign(office, None)
    assert await office.account_of("alice") == before


async def test_coming_back_to_a_calendar_period_brings_the_spending_along(office: Office) -> None:
    monthly = (await alice_on(office, MONTHLY)).user.budget_id
    await office.spend_as("alice", "3")
    await assign(office, await new_budget(office, DAILY))
    await office.spend_as("alice", "2")
    standing = await assign(office, monthly)
    assert standing.spend_usd == 5
    assert standing.period_start == datetime(2026, 1, 1, tzinfo=UTC)


async def test_coming_back_to_a_calendar_period_takes_nothing_off(office: Office) -> None:
    monthly = (await alice_on(office, MONTHLY)).user.budget_id
    await office.spend_as("alice", "3")
    await assign(office, await new_budget(office, DAILY))
    office.wait(days=2)
    await office.spend_as("alice", "1")
    assert (await office.services.users.get("alice")).spend_usd == 1
    assert (await assign(office, monthly)).spend_usd == 3


async def test_two_calendar_budgets_of_one_rhythm_share_the_account(office: Office) -> None:
    await alice_on(office, MONTHLY)
    await office.spend_as("alice", "3")
    assert (await assign(office, await new_budget(office, MONTHLY))).spend_usd == 3


async def test_a_member_of_a_pool_shows_their_own_unbounded_spending(office: Office) -> None:
    await alice_on(office, MONTHLY_POOL)
    await office.spend_as("alice", "3")
    office.wait(days=60)
    standing = await office.services.users.get("alice")
    assert (standing.spend_usd, standing.period_start, standing.next_reset_at) == (
        Decimal(3),
        START,
        None,
    )


async def test_an_unknown_budget_changes_nothing(office: Office) -> None:
    before = await alice_on(office)
    with pytest.raises(NotFound, match=r"^Budget with id 'nope' not found$"):
        await assign(office, "nope")
    assert await office.services.users.get("alice") == before


async def test_changes_touch_only_what_they_name(office: Office) -> None:
    await office.services.users.create(UserRequest("alice", alias="Alice", metadata={"a": 1}))
    office.wait(hours=1)
    changed = (await office.services.users.change("alice", {"blocked": True})).user
    assert (changed.alias, changed.metadata, changed.blocked) == ("Alice", {"a": 1}, True)
    assert changed.updated_at == START + timedelta(hours=1)


async def test_none_clears_a_value(office: Office) -> None:
    await office.services.users.create(
        UserRequest("alice", alias="Alice", allowed_models=("openai:*",), rate_limit_rpm=5)
    )
    clear = {"alias": None, "allowed_models": None, "rate_limit_rpm": None}
    changed = (await office.services.users.change("alice", clear)).user
    assert (changed.alias, changed.allowed_models, changed.rate_limit_rpm) == (None, None, None)


async def test_a_deleted_user_is_gone_and_their_keys_are_inactive(office: Office) -> None:
    issued = await office.services.keys.create(KeyRequest(user_id="alice"))
    await office.services.users.remove("alice")
    for attempt in (
        office.services.users.get("alice"),
        office.services.users.change("alice", {"alias": "x"}),
        office.services.users.remove("alice"),
    ):
        with pytest.raises(NotFound, match=r"^User with id 'alice' not found$"):
            await attempt
    assert not await office.services.users.page(skip=0, limit=10)
    assert not (await office.services.keys.get(issued.record.key_id)).is_active


async def test_a_revived_user_begins_anew_and_keeps_the_day_of_creation(office: Office) -> None:
    await office.services.users.create(UserRequest("alice", alias="Alice", metadata={"a": 1}))
    await office.spend_as("alice", "3")
    await office.services.users.remove("alice")
    office.wait(days=1)
    standing = await office.services.users.create(UserRequest("alice", alias="Anew"))
    assert standing.spend_usd == 0
    assert (standing.user.alias, standing.user.metadata) == ("Anew", {})
    assert (standing.user.created_at, standing.user.deleted_at) == (START, None)


async def test_reviving_does_not_give_the_same_month_twice(office: Office) -> None:
    budget_id = (await alice_on(office, MONTHLY)).user.budget_id
    await office.spend_as("alice", "3")
    await office.services.users.remove("alice")
    revived = await office.services.users.create(UserRequest("alice", budget_id=budget_id))
    assert revived.spend_usd == 3


async def test_pages_count_only_the_living(office: Office) -> None:
    for user_id in "abcdef":
        await office.services.users.create(UserRequest(user_id))
    for user_id in "bd":
        await office.services.users.remove(user_id)
    page = await office.services.users.page(skip=1, limit=2)
    assert [standing.user.user_id for standing in page] == ["c", "e"]
