"""Counts what the gateway asks of DynamoDB, between it and the engine.

Each request's body gets `ReturnConsumedCapacity: TOTAL` on its way, so the units are the engine's
own figures; local engines do not check the signature that this breaks. A write whose condition
fails is billed like one that succeeds, for the size of the item, and reports no units: it is
counted as one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.fakes.http_server import Exchange, HttpServer

if TYPE_CHECKING:
    from collections.abc import Iterable

_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})
_UNITS_FOR = _WRITES | {"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"}


@dataclass(frozen=True, slots=True)
class Counted:
    """A request's share of what was counted.

    Attributes:
        calls: by operation.
    """

    calls: Mapping[str, float]
    write_units: float
    read_units: float


class CountingEngine(HttpServer):
    """An engine's endpoint that keeps `calls`, `write_units` and `read_units`."""

    def __init__(self, engine_port: int) -> None:
        super().__init__(self._pass_on)
        self._engine = f"http://127.0.0.1:{engine_port}/"
        self._session: aiohttp.ClientSession | None = None
        self.calls: Counter[str] = Counter()
        self.write_units = 0.0
        self.read_units = 0.0

    def reset(self) -> None:
        self.calls.clear()
        self.write_units = self.read_units = 0.0

    def counted(self, requests: int) -> Counted:
        """The counts so far, divided among so many requests."""
        return Counted(
            {operation: count / requests for operation, count in self.calls.items()},
            self.write_units / requests,
            self.read_units / requests,
        )

    async def serve(self) -> None:
        async with aiohttp.ClientSession() as self._session:
            await super().serve()

    async def _pass_on(self, exchange: Exchange) -> None:
        assert self._session is not None
        request = exchange.request
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
        body = request.body
        if operation in _UNITS_FOR:
            body = json.dumps({**request.json(), "ReturnConsumedCapacity": "TOTAL"}).encode()
        kept = ("x-amz-target", "content-type", "authorization", "x-amz-date")
        headers = {name: request.headers[name] for name in kept if name in request.headers}
        url = self._engine + request.path.lstrip("/")
        async with self._session.request(request.method, url, data=body, headers=headers) as answer:
            answered = await answer.read()
            if operation:
                self._count(operation, answer.status, answered)
            passed = {
                name.lower(): value
                for name, value in answer.headers.items()
                if name.lower() in ("content-type", "x-amz-crc32", "x-amzn-requestid")
            }
            await exchange.answer(answer.status, passed, answered)

    def _count(self, operation: str, status: int, answered: bytes) -> None:
        self.calls[operation] += 1
        units = sum(_units(json.loads(answered or b"{}")))
        if operation in _WRITES:
            self.write_units += units if status == 200 else 1
        else:
            self.read_units += units


def _units(answer: dict[str, Any]) -> Iterable[float]:
    consumed = answer.get("ConsumedCapacity") or []
    for one in consumed if isinstance(consumed, list) else [consumed]:
        yield float(one["CapacityUnits"])
