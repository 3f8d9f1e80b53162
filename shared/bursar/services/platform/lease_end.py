"""How a lease ends: it is closed once, and what nobody reported has a record of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bursar.domain.errors import StoreUnavailable
from bursar.domain.money import ZERO
from bursar.domain.projects import project_user_id
from bursar.domain.usage import Status, UsageRecord
from bursar.ports import Clock, Platform, UsageLog

if TYPE_CHECKING:
    from decimal import Decimal

    from bursar.domain.leases import Lease

ENDPOINT = "/api/v1/leases/"
_TRIES = 20


@dataclass(frozen=True, slots=True)
class LeaseEnd:
    """Closes leases; whoever closes one first decides what it is charged."""

    platform: Platform
    usage_log: UsageLog
    clock: Clock

    async def find(self, lease_id: str) -> Lease | None:
        return await self.platform.leases.get(lease_id)

    async def charged_usd(self, lease: Lease, *, charges_unreported: bool) -> Decimal:
        """What its accounts settle at.

        Closes the lease if it is open. The record is written before any account settles, and the
        same each time, so whoever repeats this repeats nothing.

        Raises:
            StoreUnavailable: it keeps changing, or the store does not answer.
        """
        closed = await self._closed(lease, charges_unreported=charges_unreported)
        charged = closed.charged_usd or ZERO
        unreported = charged - _reported_at_the_end(closed)
        if unreported > ZERO:
            await self.usage_log.record(self._unreported(closed, unreported))
        return charged

    async def _closed(self, lease: Lease, *, charges_unreported: bool) -> Lease:
        current: Lease | None = lease
        for _ in range(_TRIES):
            if current is None or current.closed_at is not None:
                return current or lease
            closed = current.closed(self.clock(), charges_unreported=charges_unreported)
            if await self.platform.leases.advance(closed):
                return closed
            current = await self.platform.leases.get(lease.lease_id)
        raise StoreUnavailable("A lease keeps changing while it is closed")

    def _unreported(self, lease: Lease, cost_usd: Decimal) -> UsageRecord:
        return UsageRecord(
            request_id=lease.lease_id,
            user_id=project_user_id(lease.project_id),
            created_at=lease.created_at,
            endpoint=ENDPOINT,
            status=Status.EXPIRED,
            cost_usd=cost_usd,
            is_estimated=True,
            project_id=lease.project_id,
            client_id=lease.client_id,
            lease_id=lease.lease_id,
            error_message="Nobody reported this part of a lease before it ended",
        )


def _reported_at_the_end(lease: Lease) -> Decimal:
    """What had been reported when the lease closed; reports that came later do not count."""
    return lease.used_at_close_usd or ZERO
