"""Where an answer goes: to the Runtime API as it is produced, or into memory as a whole."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final, Protocol

from functions.proxy.on_lambda import wire

_LOG = logging.getLogger(__name__)
# The Runtime API is in the same machine, and answers once the response is over.
_LAST_ANSWER_S: Final = 5.0
_OK: Final = range(200, 300)


class CallerGone(ConnectionError):
    """Nobody takes the rest of the answer."""


class Sink(Protocol):
    """Takes one answer; every method but `gone` raises OSError if it is not taken."""

    async def start(self, prelude: bytes) -> None: ...

    async def write(self, data: bytes) -> None: ...

    async def finish(self, error: BaseException | None = None) -> None:
        """End the answer, and say so if it broke off."""
        ...

    async def gone(self) -> None:
        """Wait until nobody takes the answer any more."""
        ...


class ResponsePost:
    """One invocation's response, posted to the Runtime API in chunks.

    Args:
        address: of the Runtime API, host and port.
        invoke_id: names the invocation.
        invocation_id: echoed where the invocation came with one.
    """

    def __init__(self, address: str, invoke_id: str, invocation_id: str | None) -> None:
        self._address = address
        self._head = wire.head(address, invoke_id, invocation_id)
        self._gone = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def start(self, prelude: bytes) -> None:
        host, _, port = self._address.rpartition(":")
        reader, self._writer = await asyncio.open_connection(host, int(port))
        self._listening = asyncio.create_task(self._listen(reader))
        await self._send(self._head + wire.chunk(prelude))

    async def write(self, data: bytes) -> None:
        await self._send(wire.chunk(data))

    async def finish(self, error: BaseException | None = None) -> None:
        await self._send(wire.last_chunk(error))
        if self._listening is not None:
            await asyncio.wait({self._listening}, timeout=_LAST_ANSWER_S)
        if self._gone.is_set():
            raise CallerGone("The Runtime API did not take the answer")

    async def gone(self) -> None:
        await self._gone.wait()

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()

    async def _send(self, data: bytes) -> None:
        if self._writer is None or self._gone.is_set():
            raise CallerGone("The Runtime API takes no more of the answer")
        self._writer.write(data)
        await self._writer.drain()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Hear the API's verdict; a refusal, or the end of the connection, means gone."""
        try:
            answer = await reader.readuntil(b"\r\n\r\n")
            status = int(answer.split(maxsplit=2)[1])
        except (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError):
            self._gone.set()
            return
        if status not in _OK:
            _LOG.warning("the Runtime API refused an answer", extra={"status": status})
            self._gone.set()


class Whole:
    """An answer in memory, in the streamed format."""

    def __init__(self) -> None:
        self.body = bytearray()

    async def start(self, prelude: bytes) -> None:
        self.body += prelude

    async def write(self, data: bytes) -> None:
        self.body += data

    async def finish(self, error: BaseException | None = None) -> None:
        """There is no place for an error in it; whoever ran the app has logged it."""

    async def gone(self) -> None:
        await asyncio.Event().wait()
