"""A project's part of the books: every usage record of its own user."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bursar.domain.money import ZERO, canonical
from bursar.domain.projects import project_user_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Container
    from decimal import Decimal

    from bursar.domain.usage import UsageFilter, UsagePage, UsageRecord
    from bursar.ports import UsageLog

_PAGE = 1000


class ProjectBooks:
    """Reads records of one project and of no other."""

    def __init__(self, usage_log: UsageLog, project_id: str) -> None:
        self._usage_log = usage_log
        self._user_id = project_user_id(project_id)

    async def page(self, wanted: UsageFilter, *, limit: int, cursor: str | None) -> UsagePage:
        """Records that a filter accepts, newest first.

        Raises:
            InvalidRequest: the cursor is not one that a page gave.
        """
        own = replace(wanted, user_id=self._user_id)
        return await self._usage_log.page(own, limit=limit, cursor=cursor)

    async def every(self, wanted: UsageFilter) -> AsyncIterator[UsageRecord]:
        """All records that a filter accepts, read a page at a time."""
        cursor = None
        while True:
            page = await self.page(wanted, limit=_PAGE, cursor=cursor)
            for record in page.records:
                yield record
            cursor = page.next_cursor
            if cursor is None:
                return

    async def cost_usd(self, wanted: UsageFilter, open_holds: Container[str]) -> Decimal:
        """What records cost, without those whose own hold, or lease, is still to be settled."""
        total = ZERO
        async for record in self.every(wanted):
            if record.request_id not in open_holds and record.lease_id not in open_holds:
                total += record.cost_usd or ZERO
        return canonical(total)
