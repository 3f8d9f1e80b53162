"""Writing an item that must not be there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bursar.store.errors import ConditionFailed

if TYPE_CHECKING:
    from bursar.store.call import Call, Item

IS_NEW: Final = "attribute_not_exists(pk)"
IS_THERE: Final = "attribute_exists(pk)"


async def conflicting(call: Call, table_name: str, item: Item) -> Item | None:
    """Put an item unless its key is taken; then give what is there, else None.

    Where the answer to the first try was lost, a second one finds the first one's item, which is
    no conflict.
    """
    request = {
        "TableName": table_name,
        "Item": item,
        "ConditionExpression": IS_NEW,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    try:
        await call("PutItem", request)
    except ConditionFailed as taken:
        is_own = taken.is_repeat and taken.item == item
        return None if is_own else taken.item or {}
    return None
