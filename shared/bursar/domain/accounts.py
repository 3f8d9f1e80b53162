"""Which accounts a request spends from, and which of them a budget limits.

Every user has one account, so that spending is known even where nothing limits it. A budget whose
scope is EACH divides its holder's account into the budget's periods; any other leaves it unbounded.
A budget whose scope is POOL has an account of its own, which all its holders spend from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.budgets import (
    AccountKey,
    Budget,
    Limit,
    Scope,
    client_subject,
    key_subject,
    pool_subject,
    project_subject,
    user_subject,
)
from bursar.domain.errors import Forbidden
from bursar.domain.periods import Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from bursar.domain.keys import VirtualKey
    from bursar.domain.projects import ProjectBudget
    from bursar.domain.users import User


def user_account(user: User, budget: Budget | None, now: datetime) -> AccountKey:
    """The account of a user who has `budget`."""
    subject = user_subject(user.user_id)
    if budget is None or budget.scope is not Scope.EACH:
        return AccountKey(subject, Period(user.accounting_since))
    return AccountKey(subject, budget.period_at(now, user.budget_started_at or user.created_at))


def key_account(key: VirtualKey, budget: Budget | None, now: datetime) -> AccountKey | None:
    """The account of a key's own, which only a budget of scope EACH gives it."""
    if budget is None or budget.scope is not Scope.EACH:
        return None
    started_at = key.budget_started_at or key.created_at
    return AccountKey(key_subject(key.key_id), budget.period_at(now, started_at))


def pool_account(budget: Budget, now: datetime) -> AccountKey:
    """The account that all holders of a pool share; rolling periods count from its creation."""
    return AccountKey(pool_subject(budget.budget_id), budget.period_at(now, budget.created_at))


def limits_of(
    key: VirtualKey | None,
    user: User,
    key_budget: Budget | None,
    user_budget: Budget | None,
    now: datetime,
    *,
    of_project: Iterable[Limit] = (),
) -> tuple[Limit, ...]:
    """Everything a request reserves in, in a fixed order.

    That is the key's account, the user's, the project's, the key's pool, the user's.

    Args:
        key: None for a request under the master key.
        user: who the request is accounted to.
        key_budget: the budget that `key.budget_id` names.
        user_budget: the budget that `user.budget_id` names.
        now: decides the periods.
        of_project: what `budget_limits` says, for a request that spends for a project.

    Raises:
        Forbidden: a named budget is missing, and without it nobody knows the limit.
    """
    if key is not None:
        _check_present(key.budget_id, key_budget)
    _check_present(user.budget_id, user_budget)
    limits = _limits(key, user, key_budget, user_budget, now, of_project=of_project)
    return tuple(dict.fromkeys(limits))


def project_limits(
    user: User, budgets: Iterable[ProjectBudget], client_id: str | None, now: datetime
) -> tuple[Limit, ...]:
    """Everything that a project's spending reserves in: its user, its budgets, its client's.

    Args:
        user: the project's own, whose account only tracks.
        budgets: the project's and all its clients', in the order of their slots.
        client_id: whose spending it is, where that is known.
        now: decides the periods.
    """
    return (_user_limit(user, None, now), *budget_limits(budgets, client_id, now))


def budget_limits(
    budgets: Iterable[ProjectBudget], client_id: str | None, now: datetime
) -> tuple[Limit, ...]:
    """The limits of a project's budgets, then those of one client's."""
    mine = [budget for budget in budgets if budget.client_id in (None, client_id)]
    mine.sort(key=lambda budget: (budget.client_id is not None, budget.slot))
    return tuple(_project_limit(budget, now) for budget in mine)


def project_account(budget: ProjectBudget, now: datetime) -> AccountKey:
    """The account of a project's budget, or of one of its clients', in the period of `now`."""
    subject = (
        project_subject(budget.project_id)
        if budget.client_id is None
        else client_subject(budget.client_id)
    )
    return AccountKey(subject, budget.spend_period.period_at(now))


def _project_limit(budget: ProjectBudget, now: datetime) -> Limit:
    holder = "The project" if budget.client_id is None else "The project's client"
    label = f"{holder} ({budget.spend_period} budget)"
    return Limit(project_account(budget, now), budget.limit_usd, label, budget.budget_id)


def _limits(
    key: VirtualKey | None,
    user: User,
    key_budget: Budget | None,
    user_budget: Budget | None,
    now: datetime,
    *,
    of_project: Iterable[Limit],
) -> Iterator[Limit]:
    own = None if key is None else key_account(key, key_budget, now)
    if key is not None and key_budget is not None and own is not None:
        yield _limit(own, key_budget, f"API key '{key.key_id}'")
    yield _user_limit(user, user_budget, now)
    yield from of_project
    for budget in (key_budget if key is not None else None, user_budget):
        if budget is not None and budget.scope is Scope.POOL:
            yield _limit(pool_account(budget, now), budget, f"Budget '{budget.budget_id}'")


def _user_limit(user: User, budget: Budget | None, now: datetime) -> Limit:
    account = user_account(user, budget, now)
    label = f"User '{user.user_id}'"
    if budget is None or budget.scope is not Scope.EACH:
        return Limit(account, None, label)
    return _limit(account, budget, label)


def _limit(account: AccountKey, budget: Budget, label: str) -> Limit:
    return Limit(account, budget.max_budget_usd, label, budget.budget_id)


def _check_present(budget_id: str | None, budget: Budget | None) -> None:
    if budget_id is not None and budget is None:
        raise Forbidden(f"Budget '{budget_id}' no longer exists, so its limit is not known")
