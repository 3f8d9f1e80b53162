"""Leases as items that change from one revision to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.domain.leases import Lease
from bursar.store.errors import ConditionFailed
from bursar.store.schema import TTL_ATTRIBUTE
from bursar.store.values import RecordNotation, number, text

if TYPE_CHECKING:
    from bursar.store.call import Attribute, Call

IS_REVISION_BEFORE: Final = "revision = :before"
_NOTATION: Final = RecordNotation(Lease, in_key=("lease_id",))
# So long a late report still finds the lease that has paid for it.
_KEPT_S: Final = 90 * 24 * 60 * 60


class DynamoLeases:
    """The port is `Leases`."""

    def __init__(self, call: Call, table_name: str) -> None:
        self._call = call
        self._table_name = table_name

    async def add(self, lease: Lease) -> None:
        await self._call("PutItem", {"TableName": self._table_name, "Item": _item(lease)})

    async def get(self, lease_id: str) -> Lease | None:
        request = {"TableName": self._table_name, "Key": _key(lease_id), "ConsistentRead": True}
        item = (await self._call("GetItem", request)).get("Item")
        return _NOTATION.record(item, lease_id=lease_id) if item else None

    async def advance(self, lease: Lease) -> bool:
        """Of two next revisions, the first is kept; its own repetition finds it and is it."""
        try:
            await self._call("PutItem", advancing(self._table_name, lease))
        except ConditionFailed as refused:
            return refused.is_repeat and refused.item == _item(lease)
        return True

    async def remove(self, lease_id: str) -> None:
        request = {"TableName": self._table_name, "Key": _key(lease_id)}
        await self._call("DeleteItem", request)


def advancing(table_name: str, lease: Lease) -> dict[str, Any]:
    """A Put of a lease's next revision, on condition that the one before is there."""
    return {
        "TableName": table_name,
        "Item": _item(lease),
        "ConditionExpression": IS_REVISION_BEFORE,
        "ExpressionAttributeValues": {":before": number(lease.revision - 1)},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _key(lease_id: str) -> dict[str, Attribute]:
    return {"pk": text(f"LEASE#{lease_id}"), "sk": text("LEASE")}


def _item(lease: Lease) -> dict[str, Attribute]:
    purge_at = number(int(lease.deadline.timestamp()) + _KEPT_S)
    return _key(lease.lease_id) | _NOTATION.attributes(lease) | {TTL_ATTRIBUTE: purge_at}
