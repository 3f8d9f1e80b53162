"""Reading the books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.domain.usage import UsageFilter, UsagePage, UsageRecord
    from bursar.ports import Directory, UsageLog


class UsageReports:
    """Usage records, of one user or of all."""

    def __init__(self, directory: Directory, usage_log: UsageLog) -> None:
        self._directory = directory
        self._usage_log = usage_log

    async def of_user(self, user_id: str, *, skip: int, limit: int) -> Sequence[UsageRecord]:
        """One user's records, newest first, also after the user was deleted.

        Raises:
            NotFound: there never was such a user.
        """
        if await self._directory.users.get(user_id) is None:
            raise NotFound(f"User with id '{user_id}' not found")
        return await self._usage_log.user_page(user_id, skip=skip, limit=limit)

    async def page(self, wanted: UsageFilter, *, limit: int, cursor: str | None) -> UsagePage:
        """Everybody's records that a filter accepts, newest first.

        Raises:
            InvalidRequest: the cursor is not one that a page gave.
        """
        return await self._usage_log.page(wanted, limit=limit, cursor=cursor)
