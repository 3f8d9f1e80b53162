"""The schedule's work: expire holds that nobody will close, and close periods that are over.

Every step is one conditional write that does nothing the second time, so two sweeps at once, or
one that dies half way, do no harm.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bursar.domain.ids import made_at
from bursar.domain.money import ZERO
from bursar.domain.projects import is_project_user
from bursar.domain.usage import Status, UsageFilter, UsageRecord
from bursar.ports import Clock, Directory, Ledger, Platform, ResetLog, UsageLog
from bursar.services.ended_periods import EndedPeriods
from bursar.services.platform.lease_end import LeaseEnd
from bursar.services.policy import Policy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from bursar.domain.budgets import AccountKey
    from bursar.domain.holds import Balance, Hold
    from bursar.domain.leases import Lease

_LOG = logging.getLogger(__name__)
_PAGE = 100
# Clocks differ, and directory entries are a few seconds old: nobody reserves this late.
_CLOSING_GRACE = timedelta(seconds=60)


@dataclass(slots=True)
class SweepReport:
    """What a sweep did.

    Attributes:
        is_complete: False where it ran out of time; the next one goes on.
    """

    accounts_seen: int = 0
    holds_expired: int = 0
    holds_repaired: int = 0
    periods_closed: int = 0
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Sweep:
    """Goes over every open account."""

    ledger: Ledger
    usage_log: UsageLog
    reset_log: ResetLog
    directory: Directory
    policy: Policy
    clock: Clock
    platform: Platform
    leases: LeaseEnd | None = None

    async def run(self, stop_at: datetime | None = None) -> SweepReport:
        """Sweep once, page by page, until done or until `stop_at`.

        Raises:
            StoreUnavailable: the ledger cannot be reached; what was done stays done.
        """
        report, ended = SweepReport(), EndedPeriods(self.directory, self.platform)
        async for page in _pages(self.ledger.open_accounts()):
            if stop_at is not None and self.clock() >= stop_at:
                report.is_complete = False
                break
            balances = await self.ledger.balances(page)
            for account, balance in balances.items():
                await self._visit(account, balance, report, ended)
        return report

    async def _visit(
        self, account: AccountKey, balance: Balance, report: SweepReport, ended: EndedPeriods
    ) -> None:
        report.accounts_seen += 1
        now = self.clock()
        overdue = [hold for hold in balance.holds.values() if hold.deadline <= now]
        for hold in overdue:
            await self._expire(account, hold, report)
        has_open_holds = len(overdue) < len(balance.holds)
        if not has_open_holds and account.period.is_over(now - _CLOSING_GRACE):
            await self._log_reset(account, ended)
            if await self.ledger.close(account):
                report.periods_closed += 1

    async def _expire(self, account: AccountKey, hold: Hold, report: SweepReport) -> None:
        if is_project_user(hold.user_id) and await self._end_lease(account, hold, report):
            return
        if hold.amount_usd == ZERO and is_project_user(hold.user_id):
            await self._end_report(account, hold, report)
            return
        # If the request got as far as its record, that one is kept and returned.
        record = await self.usage_log.record(self._expired(hold))
        cost_usd = record.cost_usd or ZERO
        if record.status is Status.EXPIRED:
            # Where the gateway died between two accounts' adjustments, the record tells of another
            # account's hold; nothing was sent that could cost more than the smaller of them.
            cost_usd = min(cost_usd, hold.amount_usd)
        if not await self.ledger.settle(account, hold, cost_usd):
            return
        if record.status is Status.EXPIRED:
            report.holds_expired += 1
        else:
            report.holds_repaired += 1
        _LOG.warning(
            "a hold was closed after its deadline",
            extra={"request_id": hold.hold_id, "subject": account.subject, "as": record.status},
        )

    async def _end_lease(self, account: AccountKey, hold: Hold, report: SweepReport) -> bool:
        """Settle a lease's hold at what was reported, and the rest as the policy says."""
        lease = await self.leases.find(hold.hold_id) if self.leases else None
        if lease is None or self.leases is None:
            return False
        is_open = lease.closed_at is None
        charges = self.policy.charges_unknown and is_open and await self._is_whole(lease)
        charged = await self.leases.charged_usd(lease, charges_unreported=charges)
        if await self.ledger.settle(account, hold, charged):
            report.holds_expired += 1
        return True

    async def _is_whole(self, lease: Lease) -> bool:
        """Tell whether an open lease is held everywhere; else it was never granted to anybody."""
        balances = await self.ledger.balances(lease.account_keys)
        return all(
            account in balances and lease.lease_id in balances[account].holds
            for account in lease.account_keys
        )

    async def _end_report(self, account: AccountKey, hold: Hold, report: SweepReport) -> None:
        """Settle the empty hold of a client's report: at its record's cost, if it has one."""
        record = await self._record_of(hold)
        cost = record.cost_usd if record else None
        if await self.ledger.settle(account, hold, cost or ZERO):
            report.holds_repaired += 1

    async def _record_of(self, hold: Hold) -> UsageRecord | None:
        at = made_at(hold.hold_id)
        within = UsageFilter(user_id=hold.user_id, start=at, end=at + timedelta(milliseconds=1))
        cursor = None
        while True:
            page = await self.usage_log.page(within, limit=_PAGE, cursor=cursor)
            for record in page.records:
                if record.request_id == hold.hold_id:
                    return record
            if page.next_cursor is None:
                return None
            cursor = page.next_cursor

    def _expired(self, hold: Hold) -> UsageRecord:
        return UsageRecord(
            request_id=hold.hold_id,
            user_id=hold.user_id,
            created_at=made_at(hold.hold_id),
            endpoint="unknown",
            status=Status.EXPIRED,
            cost_usd=hold.amount_usd if self.policy.charges_unknown else ZERO,
            is_estimated=True,
            error_message="The gateway stopped before the request's books were closed",
        )

    async def _log_reset(self, account: AccountKey, ended: EndedPeriods) -> None:
        """Written before the account closes, so that a crash between the two loses no reset."""
        balance = (await self.ledger.balances([account]))[account]
        entry = await ended.reset(account, balance.spent_usd)
        if entry is not None and await self.reset_log.append(entry):
            _LOG.info(
                "a budget's period ended",
                extra={"budget_id": entry.budget_id, "subject": entry.subject},
            )


async def _pages(accounts: AsyncIterator[AccountKey]) -> AsyncIterator[Sequence[AccountKey]]:
    page: list[AccountKey] = []
    async for account in accounts:
        page.append(account)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page
