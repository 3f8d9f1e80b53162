"""A load generator that costs a few microseconds a request, on raw asyncio.

Each caller keeps one connection and sends one prepared request after another. It understands just
enough HTTP to know where an answer ends.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Sample:
    """One answered request, times from its sending.

    Attributes:
        first_event_s: until the first `data:` of a stream, or the first byte of a body.
        events: `data:` lines.
    """

    status: int
    latency_s: float
    first_event_s: float
    events: int


@dataclass(frozen=True, slots=True)
class Load:
    """Everything that one run of load measured."""

    samples: Sequence[Sample]
    wall_s: float

    @property
    def requests_per_s(self) -> float:
        return len(self.samples) / self.wall_s

    @property
    def events(self) -> int:
        return sum(sample.events for sample in self.samples)

    def latency_ms(self, share: float) -> float:
        ordered = sorted(sample.latency_s for sample in self.samples)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1e3

    @property
    def first_event_ms(self) -> float:
        return statistics.median(sample.first_event_s for sample in self.samples) * 1e3


def prepared(path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> bytes:
    """A request's bytes."""
    raw = json.dumps(body, separators=(",", ":")).encode()
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(raw)}", "", ""]
    return "\r\n".join(lines).encode() + raw


class _Caller(asyncio.Protocol):
    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._done: asyncio.Future[Sample] | None = None
        self._head = b""
        self._status = 0
        self._left: int | None = None
        self._tail = b""
        self._events = 0
        self._sent_s = 0.0
        self._first_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("closed before the answer's end"))

    def call(self, request: bytes) -> asyncio.Future[Sample]:
        assert self._transport is not None
        self._done = asyncio.get_running_loop().create_future()
        self._head, self._status, self._left, self._tail = b"", 0, None, b""
        self._events, self._first_s = 0, 0.0
        self._sent_s = time.perf_counter()
        self._transport.write(request)
        return self._done

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        if not self._status:
            self._head += data
            head, ended, data = self._head.partition(b"\r\n\r\n")
            if not ended:
                return
            self._read_head(head)
        self._read_body(data)

    def _read_head(self, head: bytes) -> None:
        self._status = int(head[9:12])
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                self._left = int(line[15:])

    def _read_body(self, data: bytes) -> None:
        self._events += data.count(b"data: ")
        if data and not self._first_s:
            self._first_s = time.perf_counter() - self._sent_s
        if self._left is not None:
            self._left -= len(data)
            over = self._left <= 0
        else:
            self._tail = (self._tail + data)[-len(_LAST_CHUNK) :]
            over = self._tail == _LAST_CHUNK
        if over and self._done is not None and not self._done.done():
            latency_s = time.perf_counter() - self._sent_s
            sample = Sample(self._status, latency_s, self._first_s or latency_s, self._events)
            self._done.set_result(sample)


async def put_load(port: int, request: bytes, *, concurrency: int, requests: int) -> Load:
    """Send a request so many times over so many connections.

    Raises:
        RuntimeError: an answer was not 200, so the numbers would mean nothing.
    """
    loop = asyncio.get_running_loop()
    callers = [
        (await loop.create_connection(_Caller, "127.0.0.1", port))[1] for _ in range(concurrency)
    ]
    share = -(-requests // concurrency)
    started = time.perf_counter()
    batches = await asyncio.gather(*(_repeat(caller, request, share) for caller in callers))
    wall_s = time.perf_counter() - started
    for caller in callers:
        caller.close()
    samples = [sample for batch in batches for sample in batch]
    failed = {sample.status for sample in samples} - {200}
    if failed:
        raise RuntimeError(f"answers with status {failed} on port {port}")
    return Load(samples, wall_s)


async def _repeat(caller: _Caller, request: bytes, times: int) -> list[Sample]:
    return [await caller.call(request) for _ in range(times)]
