"""Leases: money reserved ahead, for clients that call providers themselves."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bursar.domain.errors import InvalidRequest, NotFound, StoreUnavailable
from bursar.domain.holds import Hold
from bursar.domain.ids import request_id
from bursar.domain.leases import Lease, account_text
from bursar.domain.projects import project_user_id
from bursar.ports import Clock, Ledger, Platform
from bursar.services.platform.lease_end import LeaseEnd
from bursar.services.platform.project_spending import ProjectSpending, exhausted
from bursar.services.platform.rules import PlatformRules
from bursar.services.policy import Policy
from bursar.services.uncancelled import uncancelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.domain.budgets import Limit
    from bursar.domain.holds import Shortfall
    from bursar.domain.projects import Project

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """What a client asks for.

    Attributes:
        minimum_usd: less than the amount will do, down to this; None takes all or nothing.
    """

    amount_usd: Decimal
    duration_s: int
    client_name: str | None = None
    minimum_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LeaseDesk:
    """Grants leases and takes them back."""

    platform: Platform
    ledger: Ledger
    spending: ProjectSpending
    end: LeaseEnd
    policy: Policy
    rules: PlatformRules
    clock: Clock

    async def grant(self, project: Project, wanted: LeaseRequest) -> Lease:
        """Reserve an amount in every account of a project and its client.

        Raises:
            InvalidRequest: nothing, or for longer than is allowed.
            BudgetExceeded: a budget leaves too little; nothing is held.
        """
        self._check(wanted)
        client_id = await self.spending.client_named(project, wanted.client_name)
        limits = await self.spending.limits(project.project_id, client_id)
        amount = wanted.amount_usd
        while True:
            lease = self._lease(project, client_id, limits, amount, wanted.duration_s)
            refusal = await self._reserve(lease, limits)
            if refusal is None:
                return lease
            limit, shortfall = refusal
            left = shortfall.left_usd
            if wanted.minimum_usd is None or left < wanted.minimum_usd or left >= amount:
                raise exhausted(limit, limit.limit_usd or amount, needed_usd=amount, left_usd=left)
            amount = left

    async def get(self, project: Project, lease_id: str) -> Lease:
        """Raises NotFound, also for another project's."""
        lease = await self.platform.leases.get(lease_id)
        if lease is None or lease.project_id != project.project_id:
            raise NotFound("Lease not found")
        return lease

    async def close(self, project: Project, lease_id: str) -> Lease:
        """Give back what was not used. What has not been reported by now is charged when it is.

        After its deadline a lease ends as the schedule ends it, whoever was first.

        Raises:
            NotFound: no such lease.
        """
        lease = await self.get(project, lease_id)
        is_late = self.clock() >= lease.deadline
        charges = is_late and self.policy.charges_unknown
        charged = await self.end.charged_usd(lease, charges_unreported=charges)
        for account in lease.account_keys:
            await self.ledger.settle(account, hold_of(lease), charged)
        return await self.get(project, lease_id)

    async def _reserve(
        self, lease: Lease, limits: Sequence[Limit]
    ) -> tuple[Limit, Shortfall] | None:
        """The lease is written first, so that the schedule knows what its holds are."""
        await self.platform.leases.add(lease)
        hold = hold_of(lease)
        for index, limit in enumerate(limits):
            try:
                shortfall = await self.ledger.reserve(limit.account, hold, limit.limit_usd)
            except BaseException:
                await uncancelled(self._abandon(lease, limits[: index + 1]))
                raise
            if shortfall is not None:
                await uncancelled(self._undo(lease, limits[:index]))
                return limit, shortfall
        return None

    async def _undo(self, lease: Lease, reserved: Sequence[Limit]) -> None:
        for limit in reserved:
            await self.ledger.release(limit.account, hold_of(lease))
        await self.platform.leases.remove(lease.lease_id)

    async def _abandon(self, lease: Lease, tried: Sequence[Limit]) -> None:
        """Whether the last one is held is not known. Closed, the lease costs nothing either way."""
        try:
            await self.platform.leases.advance(lease.closed(self.clock(), charges_unreported=False))
            for limit in tried:
                await self.ledger.release(limit.account, hold_of(lease))
        except StoreUnavailable:
            _LOG.exception("a lease's holds stay until they expire", extra={"id": lease.lease_id})

    def _lease(
        self,
        project: Project,
        client_id: str | None,
        limits: Sequence[Limit],
        amount_usd: Decimal,
        duration_s: int,
    ) -> Lease:
        now = self.clock()
        ends_at = now.replace(microsecond=0) + timedelta(seconds=duration_s)
        return Lease(
            lease_id=request_id(now),
            project_id=project.project_id,
            client_id=client_id,
            accounts=tuple(account_text(limit.account) for limit in limits),
            amount_usd=amount_usd,
            created_at=now,
            ends_at=ends_at,
            deadline=ends_at + timedelta(seconds=self.rules.lease_report_s),
        )

    def _check(self, wanted: LeaseRequest) -> None:
        if wanted.amount_usd <= 0:
            raise InvalidRequest("A lease is for more than nothing", param="amount")
        if not 0 < wanted.duration_s <= self.rules.lease_s_max:
            raise InvalidRequest(
                f"A lease lasts at most {self.rules.lease_s_max} seconds", param="duration_sec"
            )


def hold_of(lease: Lease) -> Hold:
    """What a lease holds in each of its accounts."""
    user_id = project_user_id(lease.project_id)
    return Hold(lease.lease_id, lease.amount_usd, lease.deadline, user_id)
