"""Sends a stream to its caller: as it comes, with a sign of life in silences, until either leaves.

A silence between two events may be long where a model thinks. Load balancers, NAT gateways and API
Gateway close connections on which nothing moves, some after half a minute; a comment, which every
reader of server-sent events ignores, keeps them open.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Send

    from bursar.services.answers import StreamedAnswer

HEARTBEAT_S: Final = 15.0
HEARTBEAT: Final = b": keep-alive\n\n"
_EVENTS: Final = "text/event-stream"


async def send_stream(
    receive: Receive,
    send: Send,
    headers: Mapping[str, str],
    answer: StreamedAnswer,
    heartbeat_s: float,
) -> None:
    """Relay a stream until it ends or its caller is gone; its books are closed either way.

    Args:
        headers: those of the answer and of the request's record.
        heartbeat_s: how long it may be silent once it has begun, if it is one of events.
    """
    stream = EventStream(send, answer.status, headers)
    relaying = asyncio.create_task(_relay(stream, answer))
    watching = {asyncio.create_task(until_gone(receive))}
    if headers.get("content-type", "").startswith(_EVENTS):
        watching.add(asyncio.create_task(stream.beat(heartbeat_s)))
    try:
        await asyncio.wait({relaying, *watching}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (relaying, *watching):
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        # The relay closes its books before it lets the cancellation through.
        with suppress(asyncio.CancelledError, OSError):
            await relaying


class EventStream:
    """The answer's side towards the caller; starts with the first bytes."""

    def __init__(self, send: Send, status: int, headers: Mapping[str, str]) -> None:
        self._send = send
        self._status = status
        # Proxies in front must not collect the stream.
        self._headers = {**headers, "x-accel-buffering": "no"}
        self._wrote_at: float | None = None
        self._is_writing = False
        self._beating = asyncio.Lock()

    async def write(self, piece: bytes) -> None:
        """Send whole events; one call at a time."""
        self._is_writing = True
        if self._beating.locked():
            await self._until_beaten()
        if self._wrote_at is None:
            await self._start()
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        self._wrote_at = time.monotonic()
        self._is_writing = False

    async def end(self) -> None:
        self._is_writing = True
        await self._until_beaten()
        await self._send({"type": "http.response.body", "body": b""})

    async def beat(self, interval_s: float) -> None:
        """Send a comment whenever the started stream was silent for that long.

        Raises:
            OSError: the caller is gone.
        """
        while True:
            await asyncio.sleep(interval_s - self._silence_s() % interval_s)
            if not self._is_writing and self._silence_s() >= interval_s:
                async with self._beating:
                    await self._send(
                        {"type": "http.response.body", "body": HEARTBEAT, "more_body": True}
                    )
                self._wrote_at = time.monotonic()

    def _silence_s(self) -> float:
        return 0.0 if self._wrote_at is None else time.monotonic() - self._wrote_at

    async def _start(self) -> None:
        headers = raw_headers(self._headers)
        await self._send(
            {"type": "http.response.start", "status": self._status, "headers": headers}
        )

    async def _until_beaten(self) -> None:
        async with self._beating:
            pass


def raw_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI wants them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def _relay(stream: EventStream, answer: StreamedAnswer) -> None:
    await answer.relay.run(stream.write)
    await stream.end()


async def until_gone(receive: Receive) -> None:
    """Wait until the caller closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
