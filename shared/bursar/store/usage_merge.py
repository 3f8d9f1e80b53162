"""Several users' usage records as one listing, newest first.

Each user's records are a partition of their own, sorted by time, so that writing one costs one
write and no index. A listing over all users merges the partitions of those active on a day.
"""

from __future__ import annotations

import asyncio
from collections import deque
from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from bursar.store.call import Call, Item

_AT_ONCE_MAX: Final = 16


class Lane:
    """One Query's items, one after the other, read a page at a time."""

    def __init__(self, call: Call, request: Mapping[str, Any]) -> None:
        self._call = call
        self._request: Mapping[str, Any] | None = request
        self._items: deque[Item] = deque()

    async def next(self) -> Item | None:
        """The next item, or None after the last."""
        while not self._items and self._request is not None:
            answer = await self._call("Query", self._request)
            self._items.extend(answer["Items"])
            position = answer.get("LastEvaluatedKey")
            self._request = {**self._request, "ExclusiveStartKey": position} if position else None
        return self._items.popleft() if self._items else None


async def merged(lanes: Sequence[Lane]) -> AsyncGenerator[Item, None]:
    """Items of lanes that each run from high to low sort keys, in that order over all."""
    permits = asyncio.Semaphore(_AT_ONCE_MAX)

    async def head(lane: Lane) -> Item | None:
        async with permits:
            return await lane.next()

    firsts = await asyncio.gather(*(head(lane) for lane in lanes))
    heap = [_Head(item, index) for index, item in enumerate(firsts) if item is not None]
    heapify(heap)
    while heap:
        yield heap[0].item
        index = heap[0].index
        following = await lanes[index].next()
        if following is None:
            heappop(heap)
        else:
            heapreplace(heap, _Head(following, index))


class _Head:
    """The item that a lane has come to. The newest is the least, as a heap wants it."""

    __slots__ = ("index", "item")

    def __init__(self, item: Item, index: int) -> None:
        self.item = item
        self.index = index

    def __lt__(self, other: _Head) -> bool:
        return bool(self.item["sk"]["S"] > other.item["sk"]["S"])
