"""Budgets: creating, changing and deleting them without anybody becoming unlimited by it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bursar.domain.accounts import key_account, pool_account, user_account
from bursar.domain.budgets import Budget, Scope
from bursar.domain.errors import Conflict, Unprocessable
from bursar.domain.keys import VirtualKey
from bursar.domain.periods import Calendar
from bursar.domain.users import User
from bursar.services.assigned_budgets import existing_budget, no_such_budget
from bursar.services.listing import everything
from bursar.services.spending import carry, spent_usd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.domain.usage import ResetRecord
    from bursar.ports import Clock, Directory, Ledger, ResetLog
    from bursar.services.admin_keys import KeyAdministration
    from bursar.services.admin_users import UserAdministration

_PERIOD_FIELDS = frozenset({"duration_s", "calendar", "time_zone"})


@dataclass(frozen=True, slots=True)
class BudgetRequest:
    """What an administrator says about a new budget; the fields are those of `Budget`.

    Attributes:
        budget_id: None has one made.
    """

    max_budget_usd: Decimal | None = None
    duration_s: int | None = None
    calendar: Calendar | None = None
    time_zone: str = "UTC"
    scope: Scope = Scope.EACH
    budget_id: str | None = None


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """A budget, and how its account stands where all its holders share one.

    Attributes:
        spend_usd: spent from a pool in its current period; None where each holder has an account.
        next_reset_at: when a pool's period ends; None where nothing ends it.
    """

    budget: Budget
    spend_usd: Decimal | None = None
    next_reset_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Holders:
    """Who has a budget."""

    users: tuple[User, ...]
    keys: tuple[VirtualKey, ...]

    def __bool__(self) -> bool:
        return bool(self.users or self.keys)

    def __str__(self) -> str:
        return f"{_counted(len(self.users), 'user')} and {_counted(len(self.keys), 'API key')}"


class BudgetAdministration:
    """The life of budgets."""

    def __init__(
        self,
        *,
        directory: Directory,
        ledger: Ledger,
        reset_log: ResetLog,
        clock: Clock,
        users: UserAdministration,
        keys: KeyAdministration,
    ) -> None:
        self._directory = directory
        self._ledger = ledger
        self._reset_log = reset_log
        self._clock = clock
        self._users = users
        self._keys = keys

    async def create(self, wanted: BudgetRequest) -> BudgetStanding:
        """Add a budget.

        Raises:
            Unprocessable: both a rolling and a calendar period.
            Conflict: the id that it is to have is in use.
        """
        now = self._clock()
        budget = Budget(
            budget_id=wanted.budget_id or str(uuid.uuid4()),
            created_at=now,
            updated_at=now,
            max_budget_usd=wanted.max_budget_usd,
            duration_s=wanted.duration_s,
            calendar=wanted.calendar,
            time_zone=wanted.time_zone,
            scope=wanted.scope,
        )
        _check_one_period(budget)
        if not await self._directory.budgets.add(budget):
            raise Conflict(f"Budget with id '{budget.budget_id}' already exists")
        return await self._standing(budget)

    async def page(self, *, skip: int, limit: int) -> Sequence[BudgetStanding]:
        return await self._standings(await self._directory.budgets.page(skip=skip, limit=limit))

    async def get(self, budget_id: str) -> BudgetStanding:
        """Raises NotFound."""
        return await self._standing(await existing_budget(self._directory, budget_id))

    async def change(self, budget_id: str, changes: Mapping[str, Any]) -> BudgetStanding:
        """Set the named fields; None clears one.

        A period of one kind replaces the other kind's. What has been spent follows every holder
        into the new period, so that changing a period gives nobody a second allowance.

        Raises:
            NotFound: there is no such budget.
            Unprocessable: both a rolling and a calendar period.
            Conflict: the scope would change under holders.
        """
        current = await existing_budget(self._directory, budget_id)
        everything_changed = {**_with_one_period(changes), "updated_at": self._clock()}
        wanted = replace(current, **everything_changed)
        _check_one_period(wanted)
        await self._prepare(current, wanted)
        changed = await self._directory.budgets.change(budget_id, everything_changed)
        if changed is None:
            raise no_such_budget(budget_id)
        return await self._standing(changed)

    async def remove(self, budget_id: str, *, detach: bool) -> None:
        """Delete a budget.

        Args:
            budget_id: which.
            detach: take it from its users and keys first, which leaves them without this limit.

        Raises:
            NotFound: there is no such budget.
            Conflict: it is in use, and not to be detached.
        """
        await existing_budget(self._directory, budget_id)
        holders = await self._holders(budget_id)
        if holders and not detach:
            raise Conflict(
                f"Budget '{budget_id}' is in use by {holders}. "
                "Assign them another, or delete with ?detach=true to leave them without it."
            )
        for user in holders.users:
            await self._users.change(user.user_id, {"budget_id": None})
        for key in holders.keys:
            await self._keys.change(key.key_id, {"budget_id": None})
        await self._directory.budgets.remove(budget_id)

    async def resets(
        self, budget_id: str, *, limit: int, cursor: str | None
    ) -> tuple[Sequence[ResetRecord], str | None]:
        """Periods of a budget that ended, newest first, and where the next page begins.

        Raises:
            NotFound: there is no such budget.
            InvalidRequest: the cursor is not one that a page gave.
        """
        await existing_budget(self._directory, budget_id)
        return await self._reset_log.page(budget_id, limit=limit, cursor=cursor)

    async def _prepare(self, current: Budget, wanted: Budget) -> None:
        is_rescoped = current.scope is not wanted.scope
        is_repaced = any(getattr(current, f) != getattr(wanted, f) for f in _PERIOD_FIELDS)
        if not (is_rescoped or is_repaced):
            return
        holders = await self._holders(current.budget_id)
        if is_rescoped and holders:
            raise Conflict(
                f"Budget '{current.budget_id}' is in use by {holders}. "
                "Its scope can only change while nobody has it."
            )
        await self._carry(current, wanted, holders)

    async def _carry(self, old: Budget, new: Budget, holders: _Holders) -> None:
        now, ledger = self._clock(), self._ledger
        if old.scope is Scope.POOL:
            await carry(ledger, pool_account(old, now), pool_account(new, now), now)
            return
        for user in holders.users:
            before, after = user_account(user, old, now), user_account(user, new, now)
            await carry(ledger, before, after, now)
        for key in holders.keys:
            own_before, own_after = key_account(key, old, now), key_account(key, new, now)
            await carry(ledger, own_before, own_after, now)

    async def _holders(self, budget_id: str) -> _Holders:
        users = [
            user
            async for user in everything(self._directory.users)
            if user.budget_id == budget_id and user.deleted_at is None
        ]
        keys = [key async for key in everything(self._directory.keys) if key.budget_id == budget_id]
        return _Holders(tuple(users), tuple(keys))

    async def _standing(self, budget: Budget) -> BudgetStanding:
        return (await self._standings((budget,)))[0]

    async def _standings(self, budgets: Sequence[Budget]) -> Sequence[BudgetStanding]:
        now = self._clock()
        pools = {
            budget.budget_id: pool_account(budget, now)
            for budget in budgets
            if budget.scope is Scope.POOL
        }
        spent = await spent_usd(self._ledger, pools.values())
        return [
            BudgetStanding(budget)
            if (account := pools.get(budget.budget_id)) is None
            else BudgetStanding(budget, spent[account], account.period.end)
            for budget in budgets
        ]


def _with_one_period(changes: Mapping[str, Any]) -> dict[str, Any]:
    replaced = dict(changes)
    if changes.get("time_zone", "") is None:
        replaced["time_zone"] = "UTC"
    if changes.get("calendar") is not None:
        replaced.setdefault("duration_s", None)
    if changes.get("duration_s") is not None:
        replaced.setdefault("calendar", None)
    return replaced


def _check_one_period(budget: Budget) -> None:
    if budget.duration_s is not None and budget.calendar is not None:
        raise Unprocessable(
            "A budget's period is either budget_duration_sec or budget_period, not both",
            param="budget_period",
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
