from __future__ import annotations

from dataclasses import MISSING, fields, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from _typeshed import DataclassInstance

RecordT = TypeVar("RecordT", bound="DataclassInstance")


class MemoryCollection(Generic[RecordT]):
    """Records of one kind; `id_field` names the field that tells them apart."""

    def __init__(self, record_type: type[RecordT], id_field: str) -> None:
        self._defaults = _defaults_of(record_type)
        self._id_field = id_field
        self._records: dict[str, RecordT] = {}

    async def get(self, record_id: str) -> RecordT | None:
        return self._records.get(record_id)

    async def add(self, record: RecordT) -> bool:
        if self._id_of(record) in self._records:
            return False
        await self.put(record)
        return True

    async def put(self, record: RecordT) -> None:
        self._records[self._id_of(record)] = record

    async def change(self, record_id: str, changes: Mapping[str, Any]) -> RecordT | None:
        record = self._records.get(record_id)
        if record is None:
            return None
        values = {
            name: self._cleared(name) if value is None else value for name, value in changes.items()
        }
        self._records[record_id] = changed = replace(record, **values)
        return changed

    async def remove(self, record_id: str) -> bool:
        return self._records.pop(record_id, None) is not None

    async def page(self, *, skip: int, limit: int) -> Sequence[RecordT]:
        ids = sorted(self._records)[skip : skip + limit]
        return [self._records[record_id] for record_id in ids]

    def _id_of(self, record: RecordT) -> str:
        record_id: str = getattr(record, self._id_field)
        return record_id

    def _cleared(self, name: str) -> Any:
        """What a field reads as when nothing is stored in it."""
        default = self._defaults[name]
        return default() if callable(default) else default


def _defaults_of(record_type: type[DataclassInstance]) -> dict[str, Any]:
    return {
        field.name: field.default if field.default is not MISSING else field.default_factory
        for field in fields(record_type)
        if field.default is not MISSING or field.default_factory is not MISSING
    }
