"""Names that lead to ids, each an item of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.store.creation import conflicting
from bursar.store.errors import ConditionFailed
from bursar.store.values import text

if TYPE_CHECKING:
    from bursar.store.call import Attribute, Call

IS_TARGETS: Final = "target = :target"


class DynamoLinks:
    """The port is `Links`."""

    def __init__(self, call: Call, table_name: str) -> None:
        self._call = call
        self._table_name = table_name

    async def claim(self, kind: str, name: str, target: str) -> str:
        """Of two who claim a name, the first has it and the other is told whose it is."""
        item = _key(kind, name) | {"target": text(target)}
        taken_by = await conflicting(self._call, self._table_name, item)
        return taken_by["target"]["S"] if taken_by else target

    async def find(self, kind: str, name: str) -> str | None:
        answer = await self._call("GetItem", self._keyed(kind, name))
        item = answer.get("Item")
        return item["target"]["S"] if item else None

    async def release(self, kind: str, name: str, target: str) -> None:
        request = {
            **self._keyed(kind, name),
            "ConditionExpression": IS_TARGETS,
            "ExpressionAttributeValues": {":target": text(target)},
        }
        try:
            await self._call("DeleteItem", request)
        except ConditionFailed:
            return

    def _keyed(self, kind: str, name: str) -> dict[str, Any]:
        return {"TableName": self._table_name, "Key": _key(kind, name)}


def _key(kind: str, name: str) -> dict[str, Attribute]:
    return {"pk": text(f"LINK#{kind}#{name}"), "sk": text("LINK")}
