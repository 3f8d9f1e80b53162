from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.cursors import request_id_from_cursor, to_cursor
from bursar.domain.usage import UsageFilter, UsagePage, UsageRecord
from bursar.memory.platform import MemoryLeases
from bursar.ports import Entered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.domain.leases import Lease


class MemoryUsageLog:
    """The books in memory; the port is `UsageLog`."""

    def __init__(self, leases: MemoryLeases | None = None) -> None:
        self._entries: dict[tuple[str, str], UsageRecord] = {}
        self._events: set[tuple[str, str]] = set()
        self._leases = leases or MemoryLeases()

    async def record(self, entry: UsageRecord) -> UsageRecord:
        return self._entries.setdefault((entry.user_id, entry.request_id), entry)

    async def enter(self, event_id: str, entry: UsageRecord, lease: Lease | None) -> Entered:
        if (entry.user_id, event_id) in self._events:
            return Entered.DUPLICATE
        if lease is not None and not await self._leases.advance(lease):
            return Entered.LEASE_MOVED_ON
        self._events.add((entry.user_id, event_id))
        await self.record(entry)
        return Entered.NEW

    async def page(
        self, wanted: UsageFilter, *, limit: int, cursor: str | None = None
    ) -> UsagePage:
        before = None if cursor is None else request_id_from_cursor(cursor)
        found = [
            entry
            for entry in self._newest_first()
            if wanted.accepts(entry) and (before is None or entry.request_id < before)
        ]
        page = tuple(found[:limit])
        return UsagePage(page, to_cursor(page[-1].request_id) if len(found) > limit else None)

    async def user_page(self, user_id: str, *, skip: int, limit: int) -> Sequence[UsageRecord]:
        mine = [entry for entry in self._newest_first() if entry.user_id == user_id]
        return mine[skip : skip + limit]

    def _newest_first(self) -> list[UsageRecord]:
        return sorted(self._entries.values(), key=lambda entry: entry.request_id, reverse=True)
