"""Somebody else who writes between another's look and write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.ports import Collection

RecordT = TypeVar("RecordT")


class Meanwhile(Generic[RecordT]):
    """The port is `Collection`; a rival's record is there just before the first write."""

    def __init__(self, collection: Collection[RecordT], rival: RecordT) -> None:
        self._collection = collection
        self._rivals = [rival]

    async def get(self, record_id: str) -> RecordT | None:
        return await self._collection.get(record_id)

    async def add(self, record: RecordT) -> bool:
        await self._rival_first()
        return await self._collection.add(record)

    async def put(self, record: RecordT) -> None:
        await self._rival_first()
        await self._collection.put(record)

    async def change(self, record_id: str, changes: Mapping[str, Any]) -> RecordT | None:
        await self._rival_first()
        return await self._collection.change(record_id, changes)

    async def remove(self, record_id: str) -> bool:
        return await self._collection.remove(record_id)

    async def page(self, *, skip: int, limit: int) -> Sequence[RecordT]:
        return await self._collection.page(skip=skip, limit=limit)

    async def _rival_first(self) -> None:
        while self._rivals:
            await self._collection.put(self._rivals.pop())
