"""The books on DynamoDB: one item a request, in its user's partition."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from bursar.domain.usage import UsagePage
from bursar.store.active_users import ActiveUsers
from bursar.store.creation import conflicting
from bursar.store.queries import partition, span, window
from bursar.store.reported_events import enter_event
from bursar.store.usage_items import read_usage, usage_item, usage_pk
from bursar.store.usage_merge import Lane, merged
from bursar.store.usage_span import cursor_after, day_of, span_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from bursar.domain.leases import Lease
    from bursar.domain.usage import UsageFilter, UsageRecord
    from bursar.ports import Entered
    from bursar.store.call import Call, Item
    from bursar.store.usage_span import Span


class DynamoUsageLog:
    """The port is `UsageLog`."""

    def __init__(self, call: Call, table_name: str) -> None:
        self._call = call
        self._table_name = table_name
        self._active = ActiveUsers(call, table_name)

    async def record(self, entry: UsageRecord) -> UsageRecord:
        """Enter once: of a request's end and the sweeper's expiry, the first is kept.

        The mark that the user was active is written before, so no record is ever unlisted.
        """
        await self._active.mark(day_of(entry.request_id), entry.user_id)
        taken_by = await conflicting(self._call, self._table_name, usage_item(entry))
        return read_usage(taken_by) if taken_by else entry

    async def enter(self, event_id: str, entry: UsageRecord, lease: Lease | None) -> Entered:
        await self._active.mark(day_of(entry.request_id), entry.user_id)
        return await enter_event(self._call, self._table_name, event_id, entry, lease)

    async def page(
        self, wanted: UsageFilter, *, limit: int, cursor: str | None = None
    ) -> UsagePage:
        found: list[UsageRecord] = []
        async with aclosing(self._newest_first(wanted, cursor, limit + 1)) as items:
            async for item in items:
                entry = read_usage(item)
                if wanted.accepts(entry):
                    found.append(entry)
                if len(found) > limit:
                    break
        page = tuple(found[:limit])
        return UsagePage(page, cursor_after(page[-1].request_id) if len(found) > limit else None)

    async def user_page(self, user_id: str, *, skip: int, limit: int) -> Sequence[UsageRecord]:
        mine = partition(self._table_name, usage_pk(user_id), newest_first=True)
        items = await window(self._call, mine, skip=skip, limit=limit)
        return [read_usage(item) for item in items]

    async def _newest_first(
        self, wanted: UsageFilter, cursor: str | None, expected: int
    ) -> AsyncGenerator[Item, None]:
        """One user's records, or day by day those of everybody active."""
        covered = span_of(wanted, cursor)
        if covered.is_empty:
            return
        if wanted.user_id is not None:
            lane = self._lane(wanted.user_id, covered, expected)
            while (item := await lane.next()) is not None:
                yield item
            return
        for day in await self._active.days(day_of(covered.first), day_of(covered.last)):
            async with aclosing(self._of_day(day, covered.within(day), expected)) as items:
                async for item in items:
                    yield item

    async def _of_day(self, day: str, covered: Span, expected: int) -> AsyncGenerator[Item, None]:
        users = await self._active.users(day)
        share = max(2, 2 * expected // max(1, len(users)))
        lanes = [self._lane(user_id, covered, min(share, expected)) for user_id in users]
        async with aclosing(merged(lanes)) as items:
            async for item in items:
                yield item

    def _lane(self, user_id: str, covered: Span, page_size: int) -> Lane:
        request = span(self._table_name, usage_pk(user_id), covered.first, covered.last)
        return Lane(self._call, request | {"Limit": max(1, page_size)})
