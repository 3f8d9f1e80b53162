"""Users: creating, changing, deleting and reviving them, and how much they have spent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bursar.domain.accounts import user_account
from bursar.domain.errors import Conflict, NotFound
from bursar.domain.money import ZERO
from bursar.domain.users import User
from bursar.services.allow_lists import check_allow_list
from bursar.services.assigned_budgets import budget_of, check_start, existing_budget
from bursar.services.listing import everything, window
from bursar.services.spending import balances_of, begin, carry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from bursar.domain.budgets import AccountKey, Budget
    from bursar.domain.holds import Balance
    from bursar.ports import Clock, Directory, Ledger
    from bursar.services.admin_keys import KeyAdministration


@dataclass(frozen=True, slots=True)
class UserRequest:
    """What an administrator says about a new user; the fields are those of `User`.

    Attributes:
        budget_started_at: when the budget was assigned elsewhere; None stands for now.
        spend_usd: spent elsewhere in what is the current period.
    """

    user_id: str
    alias: str | None = None
    budget_id: str | None = None
    blocked: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    allowed_models: tuple[str, ...] | None = None
    rate_limit_rpm: int | None = None
    rate_limit_tpm: int | None = None
    budget_started_at: datetime | None = None
    spend_usd: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class UserStanding:
    """A user and how their own account stands.

    Attributes:
        spend_usd: spent in the current period, holds not counted.
        held_usd: reserved for requests in flight.
        period_start: when the budget's current period began; None without a budget.
        next_reset_at: when it ends; None where nothing ends it.
    """

    user: User
    spend_usd: Decimal
    held_usd: Decimal
    period_start: datetime | None
    next_reset_at: datetime | None


class UserAdministration:
    """The life of users."""

    def __init__(
        self, directory: Directory, ledger: Ledger, clock: Clock, keys: KeyAdministration
    ) -> None:
        self._directory = directory
        self._ledger = ledger
        self._clock = clock
        self._keys = keys

    async def create(self, wanted: UserRequest) -> UserStanding:
        """Add a user, or revive a deleted one with a new, empty account.

        A calendar period that has begun goes on over deletion and revival, or else a user could
        be given the same month's budget twice.

        Raises:
            Conflict: the id is in use.
            NotFound: there is no such budget.
            Unprocessable: an allowed model is none, or a period begins without a budget or later.
        """
        await check_allow_list(self._directory.aliases, wanted.allowed_models)
        now, budget = self._clock(), None
        if wanted.budget_id is not None:
            budget = await existing_budget(self._directory, wanted.budget_id)
        check_start(wanted.budget_started_at, budget, now)
        user = _new_user(wanted, now)
        if wanted.spend_usd > ZERO:
            await self._check_free(user.user_id)
            account = user_account(user, budget, now)
            await begin(self._ledger, account, wanted.spend_usd, now)
        if not await self._directory.users.add(user):
            user = await self._revive(user)
        return await self._standing(user)

    async def page(self, *, skip: int, limit: int) -> Sequence[UserStanding]:
        return await self._standings(await window(self._living(), skip=skip, limit=limit))

    async def get(self, user_id: str) -> UserStanding:
        """Raises NotFound."""
        return await self._standing(await self._existing(user_id))

    async def change(self, user_id: str, changes: Mapping[str, Any]) -> UserStanding:
        """Set the named fields; None clears one.

        Naming a budget, even the same, restarts its period and keeps what has been spent.

        Raises:
            NotFound: no such user, or no such budget.
            Unprocessable: an allowed model is none.
        """
        current = await self._existing(user_id)
        await check_allow_list(self._directory.aliases, changes.get("allowed_models"))
        everything_changed = {**changes, "updated_at": self._clock()}
        if "budget_id" in changes:
            everything_changed |= await self._assign(current, changes["budget_id"])
        changed = await self._directory.users.change(user_id, everything_changed)
        if changed is None:
            raise _no_such_user(user_id)
        return await self._standing(changed)

    async def remove(self, user_id: str) -> None:
        """Delete a user, keep their usage, and deactivate their keys.

        The keys come first: interrupted, the user is still there to be deleted again.

        Raises:
            NotFound: no such user.
        """
        await self._existing(user_id)
        await self._keys.deactivate_all_of(user_id)
        now = self._clock()
        await self._directory.users.change(user_id, {"deleted_at": now, "updated_at": now})

    async def _check_free(self, user_id: str) -> None:
        kept = await self._directory.users.get(user_id)
        if kept is not None and kept.deleted_at is None:
            raise _taken(user_id)

    async def _revive(self, user: User) -> User:
        kept = await self._directory.users.get(user.user_id)
        if kept is None or kept.deleted_at is None:
            raise _taken(user.user_id)
        revived = replace(user, created_at=kept.created_at)
        await self._directory.users.put(revived)
        return revived

    async def _assign(self, current: User, budget_id: str | None) -> dict[str, Any]:
        if budget_id is None and current.budget_id is None:
            return {}
        now = self._clock()
        old = await budget_of(self._directory, current.budget_id)
        new = None if budget_id is None else await existing_budget(self._directory, budget_id)
        changes: dict[str, Any] = {
            "budget_started_at": None if new is None else now,
            "accounting_since": now,
        }
        changed = replace(current, budget_id=budget_id, **changes)
        old_account, new_account = user_account(current, old, now), user_account(changed, new, now)
        await carry(self._ledger, old_account, new_account, now)
        return changes

    async def _existing(self, user_id: str) -> User:
        user = await self._directory.users.get(user_id)
        if user is None or user.deleted_at is not None:
            raise _no_such_user(user_id)
        return user

    async def _living(self) -> AsyncIterator[User]:
        async for user in everything(self._directory.users):
            if user.deleted_at is None:
                yield user

    async def _standing(self, user: User) -> UserStanding:
        return (await self._standings((user,)))[0]

    async def _standings(self, users: Sequence[User]) -> Sequence[UserStanding]:
        now = self._clock()
        budgets = await self._budgets_of(users)
        accounts = {
            user.user_id: user_account(user, budgets.get(user.budget_id), now) for user in users
        }
        balances = await balances_of(self._ledger, accounts.values())
        return [
            _standing_of(user, account, balances[account])
            for user in users
            for account in (accounts[user.user_id],)
        ]

    async def _budgets_of(self, users: Iterable[User]) -> Mapping[str | None, Budget | None]:
        wanted = dict.fromkeys(user.budget_id for user in users)
        return {budget_id: await budget_of(self._directory, budget_id) for budget_id in wanted}


def _standing_of(user: User, account: AccountKey, balance: Balance) -> UserStanding:
    start = None if user.budget_id is None else account.period.start
    return UserStanding(user, balance.spent_usd, balance.held_usd, start, account.period.end)


def _new_user(wanted: UserRequest, now: datetime) -> User:
    return User(
        user_id=wanted.user_id,
        created_at=now,
        updated_at=now,
        accounting_since=now,
        alias=wanted.alias,
        budget_id=wanted.budget_id,
        budget_started_at=None if wanted.budget_id is None else wanted.budget_started_at or now,
        blocked=wanted.blocked,
        metadata=wanted.metadata,
        allowed_models=wanted.allowed_models,
        rate_limit_rpm=wanted.rate_limit_rpm,
        rate_limit_tpm=wanted.rate_limit_tpm,
    )


def _taken(user_id: str) -> Conflict:
    return Conflict(f"User with id '{user_id}' already exists")


def _no_such_user(user_id: str) -> NotFound:
    return NotFound(f"User with id '{user_id}' not found")
