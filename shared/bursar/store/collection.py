"""Records of one kind: a partition of the table, one item a record, sorted by its id."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from bursar.store.creation import IS_THERE, conflicting
from bursar.store.errors import ConditionFailed
from bursar.store.queries import partition, window
from bursar.store.values import RecordNotation, text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from _typeshed import DataclassInstance

    from bursar.store.call import Attribute, Call, Item

RecordT = TypeVar("RecordT", bound="DataclassInstance")


_ID_BYTES_MAX: Final = 1024
"""DynamoDB's limit of a sort key; it refuses to look for a longer one."""


class DynamoCollection(Generic[RecordT]):
    """The port is `Collection`. Reads are eventually consistent: none of them decides a write."""

    def __init__(
        self,
        call: Call,
        table_name: str,
        *,
        pk: str,
        record_type: type[RecordT],
        id_field: str,
        documents: Collection[str] = (),
    ) -> None:
        self._call = call
        self._table_name = table_name
        self._pk = pk
        self._id_field = id_field
        self._notation: RecordNotation[RecordT] = _notation(
            record_type, frozenset(documents), id_field
        )

    async def get(self, record_id: str) -> RecordT | None:
        if not _can_exist(record_id):
            return None
        answer = await self._call("GetItem", self._keyed(record_id))
        return self._read(answer["Item"]) if answer.get("Item") else None

    async def add(self, record: RecordT) -> bool:
        taken_by = await conflicting(self._call, self._table_name, self._item(record))
        return taken_by is None

    async def put(self, record: RecordT) -> None:
        await self._call("PutItem", {"TableName": self._table_name, "Item": self._item(record)})

    async def change(self, record_id: str, changes: Mapping[str, Any]) -> RecordT | None:
        if not changes or not _can_exist(record_id):
            return await self.get(record_id)
        request = {
            **self._keyed(record_id),
            **self._update(changes),
            "ConditionExpression": IS_THERE,
            "ReturnValues": "ALL_NEW",
        }
        try:
            answer = await self._call("UpdateItem", request)
        except ConditionFailed:
            return None
        return self._read(answer["Attributes"])

    async def remove(self, record_id: str) -> bool:
        if not _can_exist(record_id):
            return False
        answer = await self._call(
            "DeleteItem", {**self._keyed(record_id), "ReturnValues": "ALL_OLD"}
        )
        return bool(answer.get("Attributes"))

    async def page(self, *, skip: int, limit: int) -> Sequence[RecordT]:
        everything = partition(self._table_name, self._pk)
        items = await window(self._call, everything, skip=skip, limit=limit)
        return [self._read(item) for item in items]

    def _keyed(self, record_id: str) -> dict[str, Any]:
        key = {"pk": text(self._pk), "sk": text(record_id)}
        return {"TableName": self._table_name, "Key": key}

    def _item(self, record: RecordT) -> dict[str, Attribute]:
        key = {"pk": text(self._pk), "sk": text(getattr(record, self._id_field))}
        return key | self._notation.attributes(record)

    def _read(self, item: Item) -> RecordT:
        return self._notation.record(item, **{self._id_field: item["sk"]["S"]})

    def _update(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """SET what has a value and REMOVE what is None, with every name behind a placeholder."""
        names = {f"#f{index}": name for index, name in enumerate(changes)}
        values = {
            f":{placeholder[1:]}": self._notation.attribute(name, changes[name])
            for placeholder, name in names.items()
            if changes[name] is not None
        }
        assigned = [f"{name} = :{name[1:]}" for name in names if f":{name[1:]}" in values]
        cleared = [name for name in names if f":{name[1:]}" not in values]
        clauses = [
            f"{verb} {', '.join(parts)}"
            for verb, parts in (("SET", assigned), ("REMOVE", cleared))
            if parts
        ]
        update: dict[str, Any] = {
            "UpdateExpression": " ".join(clauses),
            "ExpressionAttributeNames": names,
        }
        return update | ({"ExpressionAttributeValues": values} if values else {})


@cache
def _notation(record_type: type[Any], documents: frozenset[str], id_field: str) -> Any:
    """Kept, because a project's collections are made for every request that asks for them."""
    return RecordNotation(record_type, documents=documents, in_key=(id_field,))


def _can_exist(record_id: str) -> bool:
    return 0 < len(record_id.encode()) <= _ID_BYTES_MAX
