"""Budgets of projects and of their clients: one for each period, kept in the ledger."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bursar.domain.accounts import project_account
from bursar.domain.errors import Conflict, NotFound
from bursar.domain.holds import Balance
from bursar.domain.money import ZERO, canonical
from bursar.domain.periods import Period
from bursar.domain.projects import ProjectBudget, SpendPeriod, budget_slot
from bursar.domain.usage import UsageFilter
from bursar.services.listing import everything
from bursar.services.platform.project_books import ProjectBooks
from bursar.services.spending import fill

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from bursar.domain.projects import Project
    from bursar.domain.usage import ResetRecord
    from bursar.ports import Clock, Ledger, Platform, ResetLog, UsageLog

_ORDER = tuple(SpendPeriod)


@dataclass(frozen=True, slots=True)
class ProjectBudgetStanding:
    """A budget and its account in the current period."""

    budget: ProjectBudget
    period: Period
    balance: Balance


class ProjectBudgets:
    """The life of these budgets; `client_id` None means the project's own."""

    def __init__(
        self,
        platform: Platform,
        ledger: Ledger,
        usage_log: UsageLog,
        reset_log: ResetLog,
        clock: Clock,
    ) -> None:
        self._platform = platform
        self._ledger = ledger
        self._usage_log = usage_log
        self._reset_log = reset_log
        self._clock = clock

    async def list(
        self, project: Project, client_id: str | None
    ) -> Sequence[ProjectBudgetStanding]:
        """The budgets of a project or of one client: daily, weekly, monthly."""
        kept = everything(self._platform.budgets(project.project_id))
        found = [budget async for budget in kept if budget.client_id == client_id]
        found.sort(key=lambda budget: _ORDER.index(budget.spend_period))
        return await self._standings(found)

    async def get(
        self, project: Project, client_id: str | None, period: SpendPeriod
    ) -> ProjectBudgetStanding:
        """Raises NotFound."""
        slot = budget_slot(client_id, period)
        budget = await self._platform.budgets(project.project_id).get(slot)
        return await self._standing(budget)

    async def create(
        self, project: Project, client_id: str | None, period: SpendPeriod, limit_usd: Decimal
    ) -> ProjectBudgetStanding:
        """Limit what is spent in a period, what has been spent in it included.

        Requests in flight do not count, nor does what gateways let pass until they have noticed
        the new budget, a matter of seconds.

        Raises:
            Conflict: there is one for this period.
        """
        now = self._clock()
        budget = _new_budget(project, client_id, period, limit_usd, now)
        budgets = self._platform.budgets(project.project_id)
        if await budgets.get(budget.slot) is not None:
            raise _taken(period)
        # Filled before anybody spends from it. Only an account that comes into being here cannot
        # be filled twice by two who create the same budget.
        level_usd = await self._level_usd(budget, now)
        is_new = level_usd > ZERO and await self._ledger.open(
            project_account(budget, now), level_usd
        )
        if not await budgets.add(budget):
            raise _taken(period)
        if not is_new:
            await fill(self._ledger, project_account(budget, now), level_usd, now)
        return await self._standing(budget)

    async def change(
        self, project: Project, client_id: str | None, period: SpendPeriod, limit_usd: Decimal
    ) -> ProjectBudgetStanding:
        """Set another limit; what has been spent stays spent.

        Raises:
            NotFound: no such budget.
        """
        changes = {"limit_usd": limit_usd, "updated_at": self._clock()}
        budgets = self._platform.budgets(project.project_id)
        return await self._standing(await budgets.change(budget_slot(client_id, period), changes))

    async def remove(self, project: Project, client_id: str | None, period: SpendPeriod) -> None:
        """Lift a limit. Its account stays: the same budget, made again, goes on from there.

        Raises:
            NotFound: no such budget.
        """
        slot = budget_slot(client_id, period)
        if not await self._platform.budgets(project.project_id).remove(slot):
            raise _no_such_budget()

    async def resets(
        self,
        project: Project,
        client_id: str | None,
        period: SpendPeriod,
        *,
        limit: int,
        cursor: str | None,
    ) -> tuple[Sequence[ResetRecord], str | None]:
        """Its periods that ended, newest first, and where the next page begins.

        Raises:
            NotFound: no such budget.
            InvalidRequest: the cursor is not one that a page gave.
        """
        slot = budget_slot(client_id, period)
        budget = await self._platform.budgets(project.project_id).get(slot)
        if budget is None:
            raise _no_such_budget()
        return await self._reset_log.page(budget.budget_id, limit=limit, cursor=cursor)

    async def _level_usd(self, budget: ProjectBudget, now: datetime) -> Decimal:
        """How full the account of this period is by the books.

        The balance is read first: of what it holds, the books tell nothing that counts.
        """
        account = project_account(budget, now)
        balance = (await self._ledger.balances([account])).get(account, Balance())
        books = ProjectBooks(self._usage_log, budget.project_id)
        wanted = UsageFilter(client_id=budget.client_id, start=account.period.start)
        spent_usd = await books.cost_usd(wanted, balance.holds)
        return canonical(balance.held_usd + spent_usd)

    async def _standing(self, budget: ProjectBudget | None) -> ProjectBudgetStanding:
        if budget is None:
            raise _no_such_budget()
        return (await self._standings([budget]))[0]

    async def _standings(self, budgets: Sequence[ProjectBudget]) -> Sequence[ProjectBudgetStanding]:
        now = self._clock()
        accounts = [project_account(budget, now) for budget in budgets]
        balances = await self._ledger.balances(accounts) if accounts else {}
        return [
            ProjectBudgetStanding(budget, account.period, balances.get(account, Balance()))
            for budget, account in zip(budgets, accounts, strict=True)
        ]


def _new_budget(
    project: Project,
    client_id: str | None,
    period: SpendPeriod,
    limit_usd: Decimal,
    now: datetime,
) -> ProjectBudget:
    return ProjectBudget(
        slot=budget_slot(client_id, period),
        budget_id=str(uuid.uuid4()),
        project_id=project.project_id,
        spend_period=period,
        limit_usd=limit_usd,
        created_at=now,
        updated_at=now,
        client_id=client_id,
    )


def _taken(period: SpendPeriod) -> Conflict:
    return Conflict(f"There is a {period} budget: change its limit instead")


def _no_such_budget() -> NotFound:
    return NotFound("Budget not found")
