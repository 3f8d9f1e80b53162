"""Lambda's Runtime API, as a function sees it: it hands out invocations and takes their answers.

Every chunk of a streamed answer is kept with the moment it came.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

TIMEOUT_S = 30.0
_PREFIX = "/2018-06-01/runtime/"


@dataclass
class Invocation:
    """What was asked, and what came of it.

    Attributes:
        chunks: the answer's, each with a reading of the monotonic clock.
        leaves_after: chunks after which the connection is reset.
        status: what the API says to the answer.
    """

    event: object
    time_s: float = 60.0
    leaves_after: int | None = None
    status: int = 202
    invoke_id: str = field(default_factory=lambda: str(uuid4()))
    invocation_id: str = field(default_factory=lambda: str(uuid4()))
    kind: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def raw(self) -> bytes:
        return b"".join(data for _, data in self.chunks)

    @property
    def prelude(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.raw.partition(bytes(8))[0])
        return decoded

    @property
    def body(self) -> bytes:
        return self.raw.partition(bytes(8))[2]

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        """The error of the trailers."""
        return json.loads(base64.b64decode(self.trailers["lambda-runtime-function-error-body"]))

    async def wait(self) -> Invocation:
        async with asyncio.timeout(TIMEOUT_S):
            await self.over.wait()
        return self

    async def body_has(self, data: bytes) -> None:
        """Wait until the answer, which need not be over, has this in it."""
        await self._until(lambda: data in self.body)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(TIMEOUT_S), self.arrived:
            await self.arrived.wait_for(is_so)


class RuntimeApi:
    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Invocation] = asyncio.Queue()
        self._open: dict[str, Invocation] = {}
        self._server: asyncio.Server | None = None
        self.init_errors: list[bytes] = []
        self.polls = 0
        self.restores = 0

    @property
    def address(self) -> str:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[RuntimeApi]:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        try:
            yield self
        finally:
            self._server.close()

    def expect(self, invocation: Invocation) -> Invocation:
        """Take the answer of an invocation that was handed out otherwise."""
        self._open[invocation.invoke_id] = invocation
        return invocation

    def invoke(self, event: object, **how: Any) -> Invocation:
        invocation = self.expect(Invocation(event, **how))
        self._waiting.put_nowait(invocation)
        return invocation

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                method, path, headers = await _head(reader)
                if method == "GET":
                    await self._get(path, writer)
                else:
                    await self._post(path, headers, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the function has gone, or the test is over
        finally:
            writer.close()

    async def _get(self, path: str, writer: asyncio.StreamWriter) -> None:
        if path == f"{_PREFIX}restore/next":
            self.restores += 1
            await _answer(writer, 200)
            return
        assert path == f"{_PREFIX}invocation/next", path
        self.polls += 1
        invocation = await self._waiting.get()
        deadline_ms = int((time.time() + invocation.time_s) * 1000)
        told = {
            "Lambda-Runtime-Aws-Request-Id": invocation.invoke_id,
            "Lambda-Runtime-Invocation-Id": invocation.invocation_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:1:function:it",
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
            "Content-Type": "application/json",
        }
        await _answer(writer, 200, json.dumps(invocation.event).encode(), told)

    async def _post(
        self,
        path: str,
        headers: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if path == f"{_PREFIX}init/error":
            self.init_errors.append(await reader.readexactly(int(headers["content-length"])))
            await _answer(writer, 202)
            return
        invoke_id, kind = path.removeprefix(f"{_PREFIX}invocation/").split("/")
        invocation = self._open[invoke_id]
        invocation.kind, invocation.headers = kind, headers
        try:
            await self._take(invocation, reader, writer)
        finally:
            invocation.over.set()
        await _answer(writer, invocation.status)

    async def _take(
        self, invocation: Invocation, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        async for data in _pieces(invocation, reader):
            async with invocation.arrived:
                invocation.chunks.append((time.monotonic(), data))
                invocation.arrived.notify_all()
            if len(invocation.chunks) == invocation.leaves_after:
                writer.transport.abort()
                raise ConnectionAbortedError
            if invocation.status >= 400:
                return


async def _pieces(invocation: Invocation, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    if invocation.headers.get("transfer-encoding") != "chunked":
        yield await reader.readexactly(int(invocation.headers["content-length"]))
        return
    while size := int(await reader.readuntil(b"\r\n"), 16):
        data = await reader.readexactly(size + 2)
        assert data.endswith(b"\r\n")
        yield data[:-2]
    invocation.trailers = await _fields(reader)


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]]:
    method, path, version = (await reader.readuntil(b"\r\n")).decode().split()
    assert version == "HTTP/1.1"
    return method, path, await _fields(reader)


async def _fields(reader: asyncio.StreamReader) -> dict[str, str]:
    fields: dict[str, str] = {}
    while line := (await reader.readuntil(b"\r\n")).decode().rstrip("\r\n"):
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    return fields


async def _answer(
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> None:
    lines = [f"{name}: {value}\r\n" for name, value in (headers or {}).items()]
    head = f"HTTP/1.1 {status} It\r\n{''.join(lines)}Content-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
