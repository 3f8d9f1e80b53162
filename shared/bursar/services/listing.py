"""Collections as streams, for questions that no index answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bursar.ports import Collection

RecordT = TypeVar("RecordT")

_PAGE = 500


async def everything(collection: Collection[RecordT]) -> AsyncIterator[RecordT]:
    """All records in the order of their ids, read a page at a time.

    Records may be changed on the way; removing some makes it miss as many others.
    """
    skip = 0
    while True:
        page = await collection.page(skip=skip, limit=_PAGE)
        for record in page:
            yield record
        if len(page) < _PAGE:
            return
        skip += _PAGE


async def window(records: AsyncIterator[RecordT], *, skip: int, limit: int) -> list[RecordT]:
    """The `limit` records that follow the first `skip`."""
    found: list[RecordT] = []
    async for record in records:
        if skip > 0:
            skip -= 1
            continue
        found.append(record)
        if len(found) == limit:
            break
    return found
