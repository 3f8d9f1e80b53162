"""Usage that clients report: an event, its record and its lease change together or not at all.

The one transaction of the store. None of its items is shared by many requests, so it does not
meet others; without it a crash between an event's mark and its record would lose or repeat it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.ports import Entered
from bursar.store.creation import IS_NEW
from bursar.store.errors import TransactionCancelled
from bursar.store.leases import advancing
from bursar.store.schema import TTL_ATTRIBUTE
from bursar.store.usage_items import usage_item
from bursar.store.values import number, text

if TYPE_CHECKING:
    from bursar.domain.leases import Lease
    from bursar.domain.usage import UsageRecord
    from bursar.store.call import Call

_KEPT_S: Final = 90 * 24 * 60 * 60
_EVENT, _LEASE = 0, 2


async def enter_event(
    call: Call, table_name: str, event_id: str, entry: UsageRecord, lease: Lease | None
) -> Entered:
    """Enter an event once; see the port."""
    puts = [_event(table_name, event_id, entry), _record(table_name, entry)]
    if lease is not None:
        puts.append(advancing(table_name, lease))
    try:
        await call("TransactWriteItems", {"TransactItems": [{"Put": put} for put in puts]})
    except TransactionCancelled as cancelled:
        mark = cancelled.items[_EVENT]
        if mark is not None:
            is_own = mark["request_id"]["S"] == entry.request_id
            return Entered.NEW if is_own else Entered.DUPLICATE
        if len(cancelled.items) > _LEASE and cancelled.has_failed(_LEASE):
            return Entered.LEASE_MOVED_ON
        raise
    return Entered.NEW


def _event(table_name: str, event_id: str, entry: UsageRecord) -> dict[str, Any]:
    item = {
        "pk": text(f"EVENT#{entry.user_id}"),
        "sk": text(event_id),
        "request_id": text(entry.request_id),
        TTL_ATTRIBUTE: number(int(entry.created_at.timestamp()) + _KEPT_S),
    }
    return {
        "TableName": table_name,
        "Item": item,
        "ConditionExpression": IS_NEW,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _record(table_name: str, entry: UsageRecord) -> dict[str, Any]:
    item = usage_item(entry)
    return {"TableName": table_name, "Item": item, "ConditionExpression": IS_NEW}
