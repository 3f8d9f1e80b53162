"""A TCP proxy that spoils what passes: pieces, latency, a reset, an early end, silence.

with FaultProxy(upstream_port, Fault(reset_after_bytes=100)) as proxy:
    ...  # http://127.0.0.1:{proxy.port}
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from dataclasses import dataclass
from typing import Self

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the bytes from the upstream to the client.

    Attributes:
        piece_bytes: passes at most so many at once, each in a packet of its own.
        latency_s: before each piece.
        reset_after_bytes: then a RST.
        end_after_bytes: then a FIN.
        stall_after_bytes: then nothing, for ever.
    """

    piece_bytes: int | None = None
    latency_s: float = 0.0
    reset_after_bytes: int | None = None
    end_after_bytes: int | None = None
    stall_after_bytes: int | None = None

    @property
    def budget_bytes(self) -> int | None:
        for limit in (self.reset_after_bytes, self.end_after_bytes, self.stall_after_bytes):
            if limit is not None:
                return limit
        return None


class FaultProxy:
    def __init__(self, upstream_port: int, fault: Fault) -> None:
        self.fault = fault
        self.port = 0
        self._upstream_port = upstream_port
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)
        self._open: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        asking = asyncio.create_task(_copy(reader, up_writer))
        try:
            await self._spoil(up_reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # either side left, or the test is over
        finally:
            self._open.discard(task)
            asking.cancel()
            up_writer.close()
            writer.close()

    async def _spoil(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = self.fault.budget_bytes
        while data := await reader.read(self.fault.piece_bytes or 65536):
            await asyncio.sleep(self.fault.latency_s)
            passed = data if left is None else data[:left]
            writer.write(passed)
            await writer.drain()
            if left is not None:
                left -= len(passed)
                if left == 0:
                    await self._end(writer)
                    return

    async def _end(self, writer: asyncio.StreamWriter) -> None:
        if self.fault.stall_after_bytes is not None:
            await asyncio.Event().wait()
        if self.fault.reset_after_bytes is not None:
            await asyncio.sleep(0.02)  # a reset may overtake data that was not yet read
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
