"""Entering what direct clients report, once each, and charging it.

    empty holds in every account → mark and record in one transaction → holds settle

Whatever dies before the transaction leaves empty holds, which the schedule takes out. Whatever
dies after it leaves a record, by which the schedule settles. A report that was entered before finds
its mark, and its empty holds are released. Under an open lease there is nothing to hold: mark,
record and lease change together, and the accounts are charged when the lease closes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bursar.domain.errors import StoreUnavailable
from bursar.domain.holds import Hold
from bursar.domain.ids import request_id
from bursar.domain.money import ZERO, canonical
from bursar.domain.pricing import cost_of
from bursar.domain.projects import project_user_id
from bursar.domain.usage import UsageRecord
from bursar.ports import Clock, Directory, Entered, Ledger, Platform, UsageLog
from bursar.services.platform.project_spending import ProjectSpending

if TYPE_CHECKING:
    from bursar.domain.leases import Lease
    from bursar.domain.projects import Project
    from bursar.services.platform.reports import UsageReport

_DEADLINE = timedelta(seconds=60)
_TRIES = 20


@dataclass(frozen=True, slots=True)
class ReportedUsage:
    """The books of direct mode. Nothing that is reported is refused: it has been spent."""

    platform: Platform
    directory: Directory
    ledger: Ledger
    usage_log: UsageLog
    spending: ProjectSpending
    clock: Clock

    async def enter(self, project: Project, report: UsageReport) -> bool:
        """Enter a report; False if it has been entered before.

        Raises:
            StoreUnavailable: it may or may not be entered; reporting it again is safe.
        """
        client_id = await self.spending.client_named(project, report.client_name)
        record = await self._record(project, client_id, report)
        for _ in range(_TRIES):
            lease = await self._lease(record, report.lease_id)
            is_held = lease is not None and lease.closed_at is None
            enter = self._under_lease if is_held else self._charged
            entered = await enter(report.event_id, record, lease)
            if entered is not Entered.LEASE_MOVED_ON:
                return entered is Entered.NEW
        raise StoreUnavailable("Too many reports under one lease at once: try again")

    async def _under_lease(
        self, event_id: str, record: UsageRecord, lease: Lease | None
    ) -> Entered:
        return await self.usage_log.enter(event_id, *_drawn(record, lease))

    async def _charged(self, event_id: str, record: UsageRecord, lease: Lease | None) -> Entered:
        """Charge every account; a closed lease has paid for a part, or for all of it."""
        limits = await self.spending.limits(record.project_id or "", record.client_id)
        covered, moved = _drawn(record, lease)
        hold = self._empty_hold(record)
        for limit in limits:
            await self.ledger.reserve(limit.account, hold, None)
        entered = await self.usage_log.enter(event_id, covered, moved)
        cost_usd = covered.cost_usd if entered is Entered.NEW else None
        for limit in limits:
            await self.ledger.settle(limit.account, hold, cost_usd or ZERO)
        return entered

    async def _lease(self, record: UsageRecord, lease_id: str | None) -> Lease | None:
        lease = None if lease_id is None else await self.platform.leases.get(lease_id)
        return lease if lease is not None and lease.project_id == record.project_id else None

    def _empty_hold(self, record: UsageRecord) -> Hold:
        deadline = record.created_at.replace(microsecond=0) + _DEADLINE
        return Hold(record.request_id, ZERO, deadline, record.user_id)

    async def _record(
        self, project: Project, client_id: str | None, report: UsageReport
    ) -> UsageRecord:
        now = self.clock()
        price = await self.directory.prices.get(f"{report.provider}:{report.model}")
        cost = None
        if price is not None:
            cost = ZERO if report.usage is None else cost_of(report.usage, price)
        return UsageRecord(
            request_id=request_id(now),
            user_id=project_user_id(project.project_id),
            created_at=now,
            endpoint=report.endpoint,
            status=report.status,
            provider=report.provider,
            model=report.model,
            usage=report.usage,
            cost_usd=cost,
            is_streamed=report.is_streamed,
            duration_ms=report.duration_ms,
            first_token_ms=report.first_token_ms,
            input_usd_per_million=price.input_usd_per_million if price else None,
            output_usd_per_million=price.output_usd_per_million if price else None,
            project_id=project.project_id,
            client_id=client_id,
            provider_key_id=await self._own_key(project, report.provider_key_id),
            tokens_per_second=report.tokens_per_second,
        )

    async def _own_key(self, project: Project, key_id: str | None) -> str | None:
        """The key's id, if it is one of the project's."""
        if not key_id:
            return None
        known = await self.platform.provider_keys(project.project_id).get(key_id)
        return None if known is None else key_id


def _drawn(record: UsageRecord, lease: Lease | None) -> tuple[UsageRecord, Lease | None]:
    """The record as it is charged under a lease, and the lease's next revision.

    What an expired lease was charged without a report has paid for a late one.
    """
    if lease is None:
        return record, None
    moved, excess = lease.drawn(record.cost_usd or ZERO)
    named = replace(record, lease_id=lease.lease_id)
    if lease.closed_at is None or record.cost_usd is None:
        return named, moved
    covered = canonical(record.cost_usd - excess)
    return replace(named, cost_usd=excess, covered_usd=covered), moved
