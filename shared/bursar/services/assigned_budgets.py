"""Budgets by the ids that users and keys name them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.errors import NotFound, Unprocessable

if TYPE_CHECKING:
    from datetime import datetime

    from bursar.domain.budgets import Budget
    from bursar.ports import Directory


async def budget_of(directory: Directory, budget_id: str | None) -> Budget | None:
    """The budget behind an assignment; None where there is none, or no longer."""
    return None if budget_id is None else await directory.budgets.get(budget_id)


async def existing_budget(directory: Directory, budget_id: str) -> Budget:
    """A budget that is to be assigned, shown or changed.

    Raises:
        NotFound: there is none.
    """
    budget = await directory.budgets.get(budget_id)
    if budget is None:
        raise no_such_budget(budget_id)
    return budget


def check_start(started_at: datetime | None, budget: Budget | None, now: datetime) -> None:
    """Decide whether periods may count from a moment that is said.

    Raises:
        Unprocessable: it is in the future, or there is no budget.
    """
    if started_at is not None and (budget is None or started_at > now):
        raise Unprocessable(
            "budget_started_at is when 'budget_id' was assigned, which is not in the future",
            param="budget_started_at",
        )


def no_such_budget(budget_id: str) -> NotFound:
    return NotFound(f"Budget with id '{budget_id}' not found")
