"""The reset log's entry for a period that has ended: whose budget's it was, what follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.accounts import key_account, pool_account, project_account, user_account
from bursar.domain.usage import ResetRecord
from bursar.services.listing import everything

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from bursar.domain.budgets import AccountKey, Budget
    from bursar.domain.projects import ProjectBudget
    from bursar.ports import Directory, Platform


class EndedPeriods:
    """Finds the budgets behind accounts, and remembers what it reads: made for one sweep."""

    def __init__(self, directory: Directory, platform: Platform) -> None:
        self._directory = directory
        self._platform = platform
        self._budgets: dict[str, Budget | None] = {}
        self._of_clients: dict[str, list[ProjectBudget]] | None = None

    async def reset(self, account: AccountKey, spent_usd: Decimal) -> ResetRecord | None:
        """The entry for an account whose period is over; None where it is no budget's period.

        A holder's account from before another budget, or another period, is none: what it has spent
        went on with them, and counts where they are now.
        """
        reset_at = account.period.end
        if reset_at is None:
            return None
        kind, _, holder_id = account.subject.partition("/")
        found = (
            await self._of_project(account, kind, holder_id, reset_at)
            if kind in ("project", "client")
            else await self._of_holder(account, kind, holder_id, reset_at)
        )
        if found is None:
            return None
        budget_id, next_reset_at = found
        return ResetRecord(
            budget_id=budget_id,
            subject=account.subject,
            period_start=account.period.start,
            reset_at=reset_at,
            next_reset_at=next_reset_at,
            previous_spend_usd=spent_usd,
        )

    async def _of_holder(
        self, account: AccountKey, kind: str, holder_id: str, reset_at: datetime
    ) -> tuple[str, datetime | None] | None:
        """The budget's id, and when its next period ends."""
        began = account.period.start
        own: AccountKey | None = None
        budget: Budget | None = None
        if kind == "pool" and (budget := await self._budget(holder_id)):
            own = pool_account(budget, began)
        elif kind == "key" and (key := await self._directory.keys.get(holder_id)):
            budget = await self._budget(key.budget_id)
            own = key_account(key, budget, began)
        elif kind == "user" and (user := await self._directory.users.get(holder_id)):
            budget = await self._budget(user.budget_id)
            own = user_account(user, budget, began)
        if budget is None or own != account:
            return None
        return budget.budget_id, budget.period_at(reset_at, began).end

    async def _of_project(
        self, account: AccountKey, kind: str, holder_id: str, reset_at: datetime
    ) -> tuple[str, datetime | None] | None:
        budgets = (
            await self._of_client(holder_id)
            if kind == "client"
            else await self._in_project(holder_id)
        )
        for budget in budgets:
            if project_account(budget, account.period.start) == account:
                return budget.budget_id, budget.spend_period.period_at(reset_at).end
        return None

    async def _budget(self, budget_id: str | None) -> Budget | None:
        if budget_id is None:
            return None
        if budget_id not in self._budgets:
            self._budgets[budget_id] = await self._directory.budgets.get(budget_id)
        return self._budgets[budget_id]

    async def _in_project(self, project_id: str) -> Sequence[ProjectBudget]:
        return [budget async for budget in everything(self._platform.budgets(project_id))]

    async def _of_client(self, client_id: str) -> Sequence[ProjectBudget]:
        """An account does not say whose client it is, so all projects are read, once."""
        if self._of_clients is None:
            self._of_clients = {}
            async for project in everything(self._platform.projects):
                for budget in await self._in_project(project.project_id):
                    if budget.client_id is not None:
                        self._of_clients.setdefault(budget.client_id, []).append(budget)
        return self._of_clients.get(client_id, ())
