"""The audit log: written beside every answer that it is about, and read by administrators."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bursar.domain.audit import KEPT_DAYS, ActorKind, AuditFilter

if TYPE_CHECKING:
    from datetime import datetime

    from bursar.domain.audit import AuditEntry, AuditPage
    from bursar.ports import AuditLog, Clock

_LOG = logging.getLogger(__name__)
_WRITE_TIMEOUT_S: Final = 2.0
_STRANGERS_PER_MINUTE: Final = 60
_MINUTE_S: Final = 60


class AuditWriter:
    """Writes entries, without ever failing the request that one is about.

    What nobody in particular was refused is written a limited number of times a minute, so that
    whoever reaches the API cannot fill the table.
    """

    def __init__(self, audit_log: AuditLog, clock: Clock) -> None:
        self._audit_log = audit_log
        self._clock = clock
        self._minute = 0
        self._strangers = 0

    async def write(self, entry: AuditEntry) -> None:
        """Write an entry within two seconds; where that fails, the process's log has it."""
        if entry.actor_kind is ActorKind.NOBODY and not self._takes_a_stranger():
            return
        try:
            async with asyncio.timeout(_WRITE_TIMEOUT_S):
                await self._audit_log.record(entry)
        except Exception:  # noqa: BLE001 (whatever it is, the request was carried out)
            _LOG.exception("no audit entry was written", extra={"audit": asdict(entry)})

    def _takes_a_stranger(self) -> bool:
        minute = int(self._clock().timestamp()) // _MINUTE_S
        if minute != self._minute:
            self._minute, self._strangers = minute, 0
        self._strangers += 1
        return self._strangers <= _STRANGERS_PER_MINUTE


class AuditReports:
    """Reads the audit log."""

    def __init__(self, audit_log: AuditLog, clock: Clock) -> None:
        self._audit_log = audit_log
        self._clock = clock

    async def page(
        self,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        actor: str | None = None,
        limit: int,
        cursor: str | None = None,
    ) -> AuditPage:
        """Entries newest first, of the time that they are kept.

        Raises:
            InvalidRequest: the cursor is not one that a page gave.
        """
        now = self._clock()
        # The newest may have been made in this very millisecond.
        latest = now + timedelta(milliseconds=1)
        oldest = now - timedelta(days=KEPT_DAYS)
        wanted = AuditFilter(max(start or oldest, oldest), min(end or latest, latest), actor)
        return await self._audit_log.page(wanted, limit=limit, cursor=cursor)
