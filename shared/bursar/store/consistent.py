"""Reads that see every write before them, for whoever reads what they have just written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.store.call import Call

_READS: Final = frozenset({"GetItem", "Query"})


def consistent(call: Call) -> Call:
    """Ask for consistent reads wherever DynamoDB offers them, which is not on an index.

    Such a read costs twice as much. An administrator's script that assigns the budget it has just
    made needs it; the data plane, which remembers what it read for seconds, does not.
    """

    async def call_consistently(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation in _READS and "IndexName" not in request:
            request = {**request, "ConsistentRead": True}
        return await call(operation, request)

    return call_consistently
