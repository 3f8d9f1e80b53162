from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bursar.domain.accounts import (
    budget_limits,
    key_account,
    limits_of,
    pool_account,
    project_limits,
    user_account,
)
from bursar.domain.budgets import AccountKey, Budget, Limit, Scope
from bursar.domain.errors import Forbidden
from bursar.domain.keys import VirtualKey
from bursar.domain.periods import Calendar, Period
from bursar.domain.projects import ProjectBudget, SpendPeriod, budget_slot
from bursar.domain.users import User

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
ASSIGNED = datetime(2026, 1, 10, 12, tzinfo=UTC)
NOW = datetime(2026, 1, 11, 13, 30, tzinfo=UTC)

ALICE = User("alice", CREATED, CREATED, accounting_since=CREATED)
KEY = VirtualKey("k1", "alice", "d" * 64, CREATED)
DAY_S = 86_400
EACH = Budget("tier", CREATED, CREATED, max_budget_usd=Decimal(10), duration_s=DAY_S)
POOL = replace(EACH, budget_id="team", max_budget_usd=Decimal(100), scope=Scope.POOL)

ALICE_ON_TIER = replace(ALICE, budget_id="tier", budget_started_at=ASSIGNED)
ALICE_IN_TEAM = replace(ALICE, budget_id="team", budget_started_at=ASSIGNED)
KEY_ON_TIER = replace(KEY, budget_id="tier", budget_started_at=ASSIGNED)
KEY_IN_TEAM = replace(KEY, budget_id="team", budget_started_at=ASSIGNED)


def rolling_day(start: datetime) -> Period:
    return Period(start, start + timedelta(days=1))


def test_a_user_without_a_budget_has_one_account_that_never_ends() -> None:
    since = datetime(2026, 1, 5, tzinfo=UTC)
    user = replace(ALICE, accounting_since=since)
    assert user_account(user, None, NOW) == AccountKey("user/alice", Period(since))


def test_a_users_rolling_account_counts_from_the_assignment() -> None:
    account = user_account(ALICE_ON_TIER, EACH, NOW)
    assert account == AccountKey("user/alice", rolling_day(ASSIGNED + timedelta(days=1)))


def test_a_rolling_period_includes_its_start_and_excludes_its_end() -> None:
    start = ASSIGNED + timedelta(days=1)
    just_before = user_account(ALICE_ON_TIER, EACH, start - timedelta(microseconds=1))
    assert just_before.period == rolling_day(ASSIGNED)
    assert user_account(ALICE_ON_TIER, EACH, start).period == rolling_day(start)


def test_a_budget_without_a_period_opens_one_account_from_the_assignment() -> None:
    forever = replace(EACH, duration_s=None)
    assert user_account(ALICE_ON_TIER, forever, NOW).period == Period(ASSIGNED)


def test_a_member_of_a_pool_keeps_an_unbounded_account_of_their_own() -> None:
    assert user_account(ALICE_IN_TEAM, POOL, NOW) == AccountKey("user/alice", Period(CREATED))


def test_a_calendar_account_does_not_depend_on_the_assignment() -> None:
    monthly = replace(EACH, duration_s=None, calendar=Calendar.MONTH)
    account = user_account(ALICE_ON_TIER, monthly, NOW)
    assert account.period == Period(
        datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    )


def test_a_calendar_month_begins_at_midnight_of_the_budgets_time_zone() -> None:
    monthly = replace(EACH, duration_s=None, calendar=Calendar.MONTH, time_zone="Asia/Tokyo")
    late_on_new_years_eve = datetime(2025, 12, 31, 15, tzinfo=UTC)
    account = user_account(ALICE_ON_TIER, monthly, late_on_new_years_eve)
    assert account.period.start == late_on_new_years_eve


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 3, 29, 10, tzinfo=UTC), 23),
        (datetime(2026, 10, 25, 10, tzinfo=UTC), 25),
        (datetime(2026, 7, 1, 10, tzinfo=UTC), 24),
    ],
)
def test_a_day_is_as_long_as_the_clocks_change_makes_it(now: datetime, hours: int) -> None:
    daily = replace(EACH, duration_s=None, calendar=Calendar.DAY, time_zone="Europe/Berlin")
    period = user_account(ALICE_ON_TIER, daily, now).period
    assert period.end is not None
    assert period.end - period.start == timedelta(hours=hours)


def test_a_key_has_an_account_of_its_own_only_under_a_budget_for_each() -> None:
    assert key_account(KEY, None, NOW) is None
    assert key_account(KEY_IN_TEAM, POOL, NOW) is None
    account = key_account(KEY_ON_TIER, EACH, NOW)
    assert account == AccountKey("key/k1", rolling_day(ASSIGNED + timedelta(days=1)))


def test_a_pools_rolling_account_counts_from_the_pools_creation() -> None:
    account = pool_account(POOL, NOW)
    assert account == AccountKey("pool/team", rolling_day(datetime(2026, 1, 11, tzinfo=UTC)))


def test_a_user_without_a_budget_is_tracked_and_not_limited() -> None:
    account = user_account(ALICE, None, NOW)
    assert limits_of(None, ALICE, None, None, NOW) == (Limit(account, None, "User 'alice'"),)


def test_a_tier_limits_the_users_own_account() -> None:
    account = user_account(ALICE_ON_TIER, EACH, NOW)
    assert limits_of(KEY, ALICE_ON_TIER, None, EACH, NOW) == (
        Limit(account, Decimal(10), "User 'alice'", "tier"),
    )


def test_the_order_is_key_then_user_then_pool() -> None:
    limits = limits_of(KEY_ON_TIER, ALICE_IN_TEAM, EACH, POOL, NOW)
    assert [(limit.label, limit.limit_usd, limit.budget_id) for limit in limits] == [
        ("API key 'k1'", Decimal(10), "tier"),
        ("User 'alice'", None, None),
        ("Budget 'team'", Decimal(100), "team"),
    ]


def test_a_projects_budgets_come_before_the_pools_and_a_clients_after_the_projects() -> None:
    def budget(period: SpendPeriod, client_id: str | None = None) -> ProjectBudget:
        slot = budget_slot(client_id, period)
        return ProjectBudget(slot, slot, "p", period, Decimal(1), CREATED, CREATED, client_id)

    of_client = budget(SpendPeriod.DAILY, "a-client")
    monthly, weekly = budget(SpendPeriod.MONTHLY), budget(SpendPeriod.WEEKLY)
    of_another = budget(SpendPeriod.DAILY, "another")
    budgets = (of_another, of_client, monthly, weekly)
    of_project = budget_limits(budgets, "a-client", NOW)
    limits = limits_of(
        KEY_ON_TIER, ALICE_IN_TEAM, EACH, POOL, NOW, of_project=(*of_project, *of_project)
    )
    assert [limit.account.subject for limit in limits] == [
        "key/k1",
        "user/alice",
        "project/p",
        "project/p",
        "client/a-client",
        "pool/team",
    ]
    assert [limit.budget_id for limit in limits[2:4]] == ["project/monthly", "project/weekly"]
    assert project_limits(ALICE, budgets, "a-client", NOW)[1:] == of_project


def test_a_key_and_a_user_in_the_same_pool_spend_from_it_once() -> None:
    limits = limits_of(KEY_IN_TEAM, ALICE_IN_TEAM, POOL, POOL, NOW)
    assert [limit.label for limit in limits] == ["User 'alice'", "Budget 'team'"]


def test_the_keys_pool_comes_before_the_users_pool() -> None:
    other = replace(POOL, budget_id="a-later-pool")
    alice = replace(ALICE, budget_id="a-later-pool", budget_started_at=ASSIGNED)
    limits = limits_of(KEY_IN_TEAM, alice, POOL, other, NOW)
    assert [limit.label for limit in limits] == [
        "User 'alice'",
        "Budget 'team'",
        "Budget 'a-later-pool'",
    ]


def test_a_tier_on_both_key_and_user_limits_two_accounts() -> None:
    limits = limits_of(KEY_ON_TIER, ALICE_ON_TIER, EACH, EACH, NOW)
    assert [limit.account.subject for limit in limits] == ["key/k1", "user/alice"]


def test_a_missing_budget_is_refused_instead_of_meaning_no_limit() -> None:
    with pytest.raises(Forbidden, match="Budget 'tier' no longer exists"):
        limits_of(None, ALICE_ON_TIER, None, None, NOW)
    with pytest.raises(Forbidden, match="Budget 'team' no longer exists"):
        limits_of(KEY_IN_TEAM, ALICE, None, None, NOW)
