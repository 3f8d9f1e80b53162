"""What a project's spending reserves in, and whether there is anything left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bursar.domain.accounts import project_limits
from bursar.domain.errors import BudgetExceeded, NotFound
from bursar.domain.holds import Balance
from bursar.domain.money import ZERO, canonical, display
from bursar.domain.projects import project_user_id
from bursar.ports import Clock, Directory, Ledger, Platform
from bursar.services.listing import everything

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from bursar.domain.budgets import Limit
    from bursar.domain.projects import Project


@dataclass(frozen=True, slots=True)
class ProjectSpending:
    """The limits of projects and their clients."""

    platform: Platform
    directory: Directory
    ledger: Ledger
    clock: Clock

    async def client_named(self, project: Project, name: str | None) -> str | None:
        """The client that a request counts for: the named one, else the project's default.

        An unknown name is the default's: whoever invents one gets no budget of its own by it.
        """
        if name:
            async for client in everything(self.platform.clients(project.project_id)):
                if client.name == name:
                    return client.client_id
        return project.default_client_id

    async def limits(self, project_id: str, client_id: str | None) -> Sequence[Limit]:
        """Everything that spending of this project, for this client, reserves in.

        Raises:
            NotFound: the project is being deleted.
        """
        user = await self.directory.users.get(project_user_id(project_id))
        if user is None:
            raise NotFound("Project not found")
        budgets = [each async for each in everything(self.platform.budgets(project_id))]
        return project_limits(user, budgets, client_id, self.clock())

    async def check_not_exhausted(self, limits: Sequence[Limit]) -> None:
        """Refuse where a budget has nothing left.

        Raises:
            BudgetExceeded: names the budget, its limit and when it begins anew.
        """
        limited = [limit for limit in limits if limit.limit_usd is not None]
        balances = await self.ledger.balances([limit.account for limit in limited])
        for limit in limited:
            balance = balances.get(limit.account, Balance())
            if limit.limit_usd is not None and balance.committed_usd >= limit.limit_usd:
                raise exhausted(limit, limit.limit_usd, needed_usd=ZERO, left_usd=ZERO)


def exhausted(
    limit: Limit, limit_usd: Decimal, *, needed_usd: Decimal, left_usd: Decimal
) -> BudgetExceeded:
    """The refusal of a project's budget, with everything that its SDK shows in one sentence."""
    end = limit.account.period.end
    until = "" if end is None else f" until {end:%Y-%m-%dT%H:%M:%SZ}"
    left = canonical(left_usd)
    return BudgetExceeded(
        f"{limit.label} has exceeded budget limit of {display(limit_usd)}: "
        f"{display(left)} is left{until}",
        advice="Raise the budget, or wait for its next period",
        needed_usd=needed_usd,
        left_usd=left,
    )
