"""Entering what direct clients report, once each, and charging it.

    empty holds in every account → mark and record in one transaction → holds settle

Whatever dies before the transaction leaves empty holds, which the schedule takes out. Whatever
dies after it leaves a record, by which the schedule settles. A report that was entered before finds
its mark, and its empty holds are released. Under an open lease there is nothing to hold: mark,
record and lease change together, and the accounts are charged when the lease closes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bursar.domain.errors import StoreUnavailable
from bursar.domain.holds import Hold
from bursar.domain.ids import request_id
from bursar.domain.models import ModelName
from bursar.domain.money import ZERO, canonical
from bursar.domain.pricing import Charge, charge_of
from bursar.domain.projects import project_user_id
from bursar.domain.usage import UsageRecord
from bursar.ports import Clock, Entered, Ledger, Platform, UsageLog
from bursar.services.charged_rates import charged_rates
from bursar.services.platform.project_spending import ProjectSpending
from bursar.services.platform.sealed_keys import active_key
from bursar.services.price_lookup import PriceLookup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.domain.leases import Lease
    from bursar.domain.pricing import Price
    from bursar.domain.projects import Project
    from bursar.services.platform.reports import UsageReport

# The schedule may take out a report's holds from then on. Long before, nothing is entered any more:
# of a report whose holds are gone the record alone would be kept.
_HELD_FOR = timedelta(minutes=15)
_ENTERED_WITHIN = timedelta(minutes=1)
_TRIES = 20
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class ReportedUsage:
    """The books of direct mode. Nothing that is reported is refused: it has been spent."""

    platform: Platform
    prices: PriceLookup
    ledger: Ledger
    usage_log: UsageLog
    spending: ProjectSpending
    clock: Clock

    async def enter_all(self, project: Project, reports: Sequence[UsageReport]) -> None:
        """Enter many reports, a few at once; what `enter` raises for one, after all the others."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def enter(report: UsageReport) -> None:
            async with gate:
                await self.enter(project, report)

        outcomes = await asyncio.gather(*map(enter, reports), return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def enter(self, project: Project, report: UsageReport) -> bool:
        """Enter a report; False if it has been entered before.

        Raises:
            StoreUnavailable: it may or may not be entered; reporting it again is safe.
        """
        lease = await self._lease(project, report.lease_id)
        record = await self._record(project, report, lease)
        for _ in range(_TRIES):
            drawn, moved = _drawn(record, lease)
            is_held = lease is not None and lease.closed_at is None
            enter = self._charged if drawn.cost_usd and not is_held else self.usage_log.enter
            entered = await enter(report.event_id, drawn, moved)
            if entered is not Entered.LEASE_MOVED_ON:
                return entered is Entered.NEW
            lease = await self._lease(project, report.lease_id)
        raise StoreUnavailable("Too many reports under one lease at once: try again")

    async def _charged(self, event_id: str, record: UsageRecord, lease: Lease | None) -> Entered:
        """Enter what no lease has reserved, and charge every account."""
        limits = await self.spending.limits(record.project_id or "", record.client_id)
        hold = _empty_hold(record)
        for limit in limits:
            await self.ledger.reserve(limit.account, hold, None)
        self._check_in_time(record)
        entered = await self.usage_log.enter(event_id, record, lease)
        cost_usd = record.cost_usd if entered is Entered.NEW else None
        for limit in limits:
            await self.ledger.settle(limit.account, hold, cost_usd or ZERO)
        return entered

    def _check_in_time(self, record: UsageRecord) -> None:
        if self.clock() >= record.created_at + _ENTERED_WITHIN:
            raise StoreUnavailable("The store took too long to prepare a report: report it again")

    async def _lease(self, project: Project, lease_id: str | None) -> Lease | None:
        lease = None if not lease_id else await self.platform.leases.get(lease_id)
        return lease if lease is not None and lease.project_id == project.project_id else None

    async def _record(
        self, project: Project, report: UsageReport, lease: Lease | None
    ) -> UsageRecord:
        """What the report says; under a lease, its accounts and so its client are the lease's."""
        now = self.clock()
        price, key_id, client_id = await asyncio.gather(
            self._price(report),
            self._key_id(project, report),
            self.spending.client_named(project, report.client_name),
        )
        charge = _charge(report, price)
        return UsageRecord(
            request_id=request_id(now),
            user_id=project_user_id(project.project_id),
            created_at=now,
            endpoint=report.endpoint,
            status=report.status,
            provider=report.provider,
            model=report.model,
            usage=report.usage,
            cost_usd=None if charge is None else charge.cost_usd,
            is_streamed=report.is_streamed,
            duration_ms=report.duration_ms,
            first_token_ms=report.first_token_ms,
            **charged_rates(price, charge),
            project_id=project.project_id,
            client_id=client_id if lease is None else lease.client_id,
            provider_key_id=key_id,
            tokens_per_second=report.tokens_per_second,
        )

    async def _price(self, report: UsageReport) -> Price | None:
        """The model's price, or that of the model which it is a dated release of.

        SDKs up to 1.10 report the name that the provider answered with, which is such a one.
        """
        found = await self.prices.find_release(ModelName(report.provider, report.model))
        return None if found is None else found.price

    async def _key_id(self, project: Project, report: UsageReport) -> str | None:
        """The key that is named, if it is the project's; where none is, the provider's."""
        if not report.provider_key_id:
            key = await active_key(self.platform, project, report.provider)
        else:
            keys = self.platform.provider_keys(project.project_id)
            key = await keys.get(report.provider_key_id)
        return None if key is None else key.provider_key_id


def _charge(report: UsageReport, price: Price | None) -> Charge | None:
    if price is None:
        return None
    return Charge(ZERO, {}) if report.usage is None else charge_of(report.usage, price)


def _empty_hold(record: UsageRecord) -> Hold:
    deadline = record.created_at.replace(microsecond=0) + _HELD_FOR
    return Hold(record.request_id, ZERO, deadline, record.user_id)


def _drawn(record: UsageRecord, lease: Lease | None) -> tuple[UsageRecord, Lease | None]:
    """The record as it is charged under a lease, and the lease's next revision.

    What an expired lease was charged without a report has paid for a late one.
    """
    if lease is None:
        return record, None
    named = replace(record, lease_id=lease.lease_id)
    if not record.cost_usd:
        return named, None
    moved, excess = lease.drawn(record.cost_usd)
    if lease.closed_at is None:
        return named, moved
    covered = canonical(record.cost_usd - excess)
    return replace(named, cost_usd=excess, covered_usd=covered), moved
