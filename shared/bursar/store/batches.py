"""Consistent reads of items whose keys are known."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from bursar.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.store.call import Call, Item

_KEYS_MAX: Final = 100
_ROUNDS_MAX: Final = 10


async def get_items(call: Call, table_name: str, keys: Sequence[Item]) -> list[Item]:
    """The items that exist, in no order.

    Raises:
        StoreUnavailable: DynamoDB left keys unread time and again.
    """
    if len(keys) == 1:
        request = {"TableName": table_name, "Key": keys[0], "ConsistentRead": True}
        answer = await call("GetItem", request)
        return [answer["Item"]] if answer.get("Item") else []
    remaining = iter(keys)
    items: list[Item] = []
    while batch := list(islice(remaining, _KEYS_MAX)):
        items += await _get_batch(call, table_name, batch)
    return items


async def _get_batch(call: Call, table_name: str, keys: Sequence[Item]) -> list[Item]:
    """DynamoDB may leave some keys unread, when an answer grows large or a partition is busy."""
    items: list[Item] = []
    wanted: Mapping[str, Any] = {table_name: {"Keys": keys, "ConsistentRead": True}}
    for _ in range(_ROUNDS_MAX):
        answer = await call("BatchGetItem", {"RequestItems": wanted})
        items += answer["Responses"].get(table_name, [])
        wanted = answer.get("UnprocessedKeys") or {}
        if not wanted:
            return items
    raise StoreUnavailable("DynamoDB left items of a batch unread")
