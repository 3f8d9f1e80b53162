"""One HTTP/1.1 connection that carries one request at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import httptools


class TransportFailed(Exception):
    """No answer came over the wire. Nothing is known about the request unless a subclass says."""


class ConnectFailed(TransportFailed):
    """There was no connection, so nothing was sent."""


class AnswerLost(TransportFailed):
    """The request was sent, and may have been carried out."""


class StaleConnection(AnswerLost):
    """The server had closed a kept connection, most likely before the request reached it."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


class Connection(asyncio.Protocol):
    """Sends bytes of a request and parses the answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._waiter: asyncio.Future[HttpAnswer] | None = None
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._has_answered = False
        self._is_reading = False

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def exchange(self, request: bytes, timeout_s: float) -> HttpAnswer:
        """Send a request and wait for the whole answer. Without one, the connection is closed.

        Raises:
            AnswerLost: no answer in time, or the connection ended before the answer did.
        """
        if self._transport is None or self._transport.is_closing():
            raise StaleConnection("closed by the server")
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[HttpAnswer] = loop.create_future()
        self._waiter = waiter
        self._parser = httptools.HttpResponseParser(self)
        self._headers, self._body, self._is_reading = {}, [], False
        timer = loop.call_later(timeout_s, self._fail, AnswerLost(f"none in {timeout_s} s"))
        try:
            self._transport.write(request)
            return await waiter
        finally:
            timer.cancel()
            self._waiter = None
            if waiter.cancelled() or waiter.exception() is not None:
                self.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        is_stale = self._has_answered and not self._is_reading
        kind = StaleConnection if is_stale else AnswerLost
        self._fail(kind(f"connection lost: {type(exc).__name__}"))

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            self.close()
            return
        self._is_reading = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(AnswerLost(f"not HTTP: {error}"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        self._has_answered = True
        if self._waiter is None or self._waiter.done():
            return
        status = self._parser.get_status_code()
        self._waiter.set_result(HttpAnswer(status, self._headers, b"".join(self._body)))
        if not self._parser.should_keep_alive():
            self.close()

    def _fail(self, failure: TransportFailed) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(failure)
