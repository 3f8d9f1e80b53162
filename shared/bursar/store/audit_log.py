"""Who changed what: one item a request, in its UTC day's partition."""

from __future__ import annotations

from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bursar.domain.audit import KEPT_DAYS, AuditEntry, AuditPage
from bursar.domain.ids import made_at
from bursar.store.queries import query, span
from bursar.store.schema import TTL_ATTRIBUTE
from bursar.store.usage_span import cursor_after, day_of, span_of
from bursar.store.values import RecordNotation, number, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from bursar.domain.audit import AuditFilter
    from bursar.store.call import Attribute, Call, Item
    from bursar.store.usage_span import Span

_NOTATION: Final = RecordNotation(AuditEntry, in_key=("request_id",))
_KEPT: Final = timedelta(days=KEPT_DAYS)
_DAY: Final = timedelta(days=1)


class DynamoAuditLog:
    """The port is `AuditLog`."""

    def __init__(self, call: Call, table_name: str) -> None:
        self._call = call
        self._table_name = table_name

    async def record(self, entry: AuditEntry) -> None:
        purge_at = number(int((entry.created_at + _KEPT).timestamp()))
        item = {**_key(entry), **_NOTATION.attributes(entry), TTL_ATTRIBUTE: purge_at}
        await self._call("PutItem", {"TableName": self._table_name, "Item": item})

    async def page(
        self, wanted: AuditFilter, *, limit: int, cursor: str | None = None
    ) -> AuditPage:
        found: list[AuditEntry] = []
        async with aclosing(self._newest_first(span_of(wanted, cursor), limit + 1)) as items:
            async for item in items:
                entry = _NOTATION.record(item, request_id=item["sk"]["S"])
                if wanted.accepts(entry):
                    found.append(entry)
                if len(found) > limit:
                    break
        page = tuple(found[:limit])
        return AuditPage(page, cursor_after(page[-1].request_id) if len(found) > limit else None)

    async def _newest_first(self, covered: Span, expected: int) -> AsyncGenerator[Item, None]:
        """Day by day, of which an empty one costs a Query as well."""
        for day in _days_of(covered):
            within = covered.within(day)
            request = span(self._table_name, _pk(day), within.first, within.last)
            async with aclosing(query(self._call, request | {"Limit": expected})) as items:
                async for item in items:
                    yield item


def _days_of(covered: Span) -> Iterator[str]:
    """UTC days, newest first."""
    if covered.is_empty:
        return
    day, first = made_at(covered.last).date(), made_at(covered.first).date()
    while day >= first:
        yield day.isoformat()
        day -= _DAY


def _pk(day: str) -> str:
    return f"AUDIT#{day}"


def _key(entry: AuditEntry) -> dict[str, Attribute]:
    return {"pk": text(_pk(day_of(entry.request_id))), "sk": text(entry.request_id)}
