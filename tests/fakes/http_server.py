"""A small HTTP/1.1 server whose every byte a test decides, on a thread and loop of its own.

No HTTP library: only so can it reset a connection in the middle of a chunk, end a body early, or
send one byte at a time. It records what it received and whether the client stayed to the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_REASONS = {200: "OK", 302: "Found", 400: "Bad Request", 429: "Too Many Requests"}


@dataclass(slots=True)
class RecordedRequest:
    """What arrived, and what became of it.

    Attributes:
        headers: names in lower case.
        connection: counts the connections of the server, so that reuse shows.
        disconnected: the client went away before the answer's end.
        finished: the whole answer was written.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    connection: int = 0
    disconnected: bool = False
    finished: bool = False

    @property
    def route(self) -> str:
        return self.path.partition("?")[0]

    def json(self) -> Any:
        return json.loads(self.body)


class Exchange:
    """One request and the means to answer it."""

    def __init__(self, request: RecordedRequest, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self.gone = asyncio.Event()
        self.keep_alive = True
        self._writer = writer
        self._chunked = False

    async def head(
        self, status: int, headers: Mapping[str, str], *, length: int | None = None
    ) -> None:
        """Send status and headers; without a length the body is chunked."""
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Whatever')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if length is None:
            self._chunked = True
            lines.append("transfer-encoding: chunked")
        else:
            lines.append(f"content-length: {length}")
        await self.raw("\r\n".join([*lines, "", ""]).encode())

    async def send(self, data: bytes) -> None:
        """Send a piece of the body, as one chunk if the body is chunked."""
        await self.raw(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    async def end(self) -> None:
        if self._chunked:
            await self.raw(b"0\r\n\r\n")
        self.request.finished = True

    async def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """A whole answer in one write."""
        await self.head(status, headers, length=len(body))
        await self.send(body)
        await self.end()

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are; the exchange is over if nobody is there to read them."""
        if self._writer.is_closing():
            raise ConnectionResetError
        self._writer.write(data)
        await self._writer.drain()

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than the client does.

        Raises:
            ConnectionResetError: the client went away.
        """
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), seconds)
            raise ConnectionResetError

    def reset(self) -> None:
        """End the connection with a RST."""
        self.keep_alive = False
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._writer.transport.abort()

    def hang_up(self) -> None:
        """End the connection with a FIN, whatever was promised."""
        self.keep_alive = False
        self._writer.close()


class HttpServer:
    """Serve a handler on loopback until stopped: `with HttpServer(handler) as server: ...`.

    Attributes:
        requests: what arrived, in order.
        connections: how many there were.
        closed: how many of them are over, on this side.
    """

    def __init__(
        self,
        handler: Callable[[Exchange], Awaitable[None]],
        *,
        port: int = 0,
        idle_timeout_s: float = 60.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[RecordedRequest] = []
        self.connections = 0
        self.closed = 0
        self.port = port
        self._handler = handler
        self._idle_timeout_s = idle_timeout_s
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake-upstream", daemon=True)
        self._open: set[asyncio.Task[None]] = set()

    @property
    def origin(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    @property
    def last(self) -> RecordedRequest:
        return self.requests[-1]

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 30.0) -> bool:
        """Wait for what the server will see; tell whether it did."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    async def until(self, condition: Callable[[], bool], timeout_s: float = 30.0) -> bool:
        """`wait_until` for a test whose own event loop has to go on meanwhile."""
        return await asyncio.to_thread(self.wait_until, condition, timeout_s)

    def run_until_interrupted(self) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self.serve())

    async def serve(self) -> None:
        """Listen until stopped, then drop every connection."""
        server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, ssl=self._tls, backlog=1024
        )
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
        self.connections += 1
        number = self.connections
        try:
            while await self._one_exchange(reader, writer, number):
                pass
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the client's or the script's doing, and recorded
        except asyncio.CancelledError:
            pass  # the server stops; asyncio's streams log a task that ends cancelled
        finally:
            self._open.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            self.closed += 1

    async def _one_exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> bool:
        request = await asyncio.wait_for(_read_request(reader), self._idle_timeout_s)
        if request is None:
            return False
        request.connection = number
        self.requests.append(request)
        exchange = Exchange(request, writer)
        watcher = asyncio.create_task(_watch(reader, exchange))
        try:
            await self._handler(exchange)
        except ConnectionError:
            exchange.gone.set()  # writing noticed it before the watcher did
            raise
        finally:
            watcher.cancel()
            # It must be off the reader before the next request is read.
            await asyncio.wait([watcher])
            request.disconnected = exchange.gone.is_set() and not request.finished
        return exchange.keep_alive


async def _watch(reader: asyncio.StreamReader, exchange: Exchange) -> None:
    """A client that speaks no more while it waits is at its end of file, or reset."""
    with contextlib.suppress(ConnectionError):
        await reader.read(1)
    exchange.gone.set()
    exchange.request.disconnected = not exchange.request.finished


async def _read_request(reader: asyncio.StreamReader) -> RecordedRequest | None:
    first = await reader.readline()
    if not first:
        return None
    method, path, _ = first.decode().split(" ", 2)
    headers: dict[str, str] = {}
    while (line := (await reader.readline()).decode().rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return RecordedRequest(method, path, headers, body)
