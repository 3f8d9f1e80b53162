"""Reads of many items, page by page."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from bursar.store.values import text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from bursar.store.call import Call, Item


async def query(call: Call, request: Mapping[str, Any]) -> AsyncGenerator[Item, None]:
    """Every item that a Query finds, following its pages as they are asked for."""
    position: Mapping[str, Any] = {}
    while True:
        answer = await call("Query", {**request, **position})
        for item in answer["Items"]:
            yield item
        if "LastEvaluatedKey" not in answer:
            return
        position = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


async def everything(call: Call, request: Mapping[str, Any]) -> list[Item]:
    return [item async for item in query(call, request)]


def partition(table_name: str, pk: str, *, newest_first: bool = False) -> dict[str, Any]:
    """A Query for all items of a partition."""
    return {
        "TableName": table_name,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": text(pk)},
        "ScanIndexForward": not newest_first,
    }


def span(table_name: str, pk: str, first: str, last: str) -> dict[str, Any]:
    """A Query for a partition's items from `first` to `last`, both included, newest first."""
    return {
        "TableName": table_name,
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {":pk": text(pk), ":first": text(first), ":last": text(last)},
        "ScanIndexForward": False,
    }


async def window(call: Call, request: Mapping[str, Any], *, skip: int, limit: int) -> list[Item]:
    """Items `skip` to `skip + limit` of a Query. DynamoDB reads the skipped ones too."""
    if limit <= 0:
        return []
    found: list[Item] = []
    async with aclosing(query(call, {**request, "Limit": skip + limit})) as items:
        async for item in items:
            found.append(item)
            if len(found) == skip + limit:
                break
    return found[skip:]
