from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bursar.store.consistent import consistent

if TYPE_CHECKING:
    from collections.abc import Mapping


async def sent(operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What reaches the store."""
    seen: list[Mapping[str, Any]] = []

    async def call(_: str, passed_on: Mapping[str, Any]) -> dict[str, Any]:
        seen.append(passed_on)
        return {"operation": operation}

    assert await consistent(call)(operation, request) == {"operation": operation}
    (passed_on,) = seen
    return passed_on


@pytest.mark.parametrize("operation", ["GetItem", "Query"])
async def test_reads_become_consistent(operation: str) -> None:
    assert await sent(operation, {"a": 1}) == {"a": 1, "ConsistentRead": True}


async def test_an_index_is_read_as_it_can_be() -> None:
    assert await sent("Query", {"IndexName": "open"}) == {"IndexName": "open"}


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem", "DeleteItem", "BatchGetItem"])
async def test_other_operations_pass_unchanged(operation: str) -> None:
    request = {"a": 1}
    assert await sent(operation, request) is request
