"""A `Call` that counts what the calls behind it consume."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.store.call import Call

_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})


class MeteredCall:
    """Asks for the consumed capacity of each call and adds it up.

    Attributes:
        operations: how often each operation was called.
        write_units: by operation, indexes included.
        read_units: by operation.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self.reset()

    def reset(self) -> None:
        self.operations: Counter[str] = Counter()
        self.write_units: Counter[str] = Counter()
        self.read_units: Counter[str] = Counter()

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        self.operations[operation] += 1
        if operation in {"CreateTable", "UpdateTimeToLive"}:
            return await self._call(operation, request)
        answer = await self._call(operation, {**request, "ReturnConsumedCapacity": "INDEXES"})
        consumed = answer.pop("ConsumedCapacity", {"CapacityUnits": 0})
        units = self.write_units if operation in _WRITES else self.read_units
        several = consumed if isinstance(consumed, list) else [consumed]
        units[operation] += sum(each["CapacityUnits"] for each in several)
        return answer
