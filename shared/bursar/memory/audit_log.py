from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.audit import AuditPage
from bursar.domain.cursors import request_id_from_cursor, to_cursor

if TYPE_CHECKING:
    from bursar.domain.audit import AuditEntry, AuditFilter


class MemoryAuditLog:
    """The audit log in memory; the port is `AuditLog`."""

    def __init__(self) -> None:
        self._entries: dict[str, AuditEntry] = {}

    async def record(self, entry: AuditEntry) -> None:
        self._entries[entry.request_id] = entry

    async def page(
        self, wanted: AuditFilter, *, limit: int, cursor: str | None = None
    ) -> AuditPage:
        before = None if cursor is None else request_id_from_cursor(cursor)
        found = [
            self._entries[request_id]
            for request_id in sorted(self._entries, reverse=True)
            if before is None or request_id < before
        ]
        accepted = [entry for entry in found if wanted.accepts(entry)]
        page = tuple(accepted[:limit])
        following = to_cursor(page[-1].request_id) if len(accepted) > limit else None
        return AuditPage(page, following)
