"""A pool of kept connections to one server."""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from bursar.aws.connection import (
    AnswerLost,
    ConnectFailed,
    Connection,
    HttpAnswer,
    StaleConnection,
    TransportFailed,
)
from bursar.domain.errors import WrongSetting

__all__ = [
    "AnswerLost",
    "ConnectFailed",
    "HttpAnswer",
    "Origin",
    "Pool",
    "StaleConnection",
    "TransportFailed",
]

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """A server: where it listens and whether with TLS."""

    host: str
    port: int
    is_tls: bool

    @classmethod
    def of(cls, url: str) -> Origin:
        """Read an http or https URL.

        Raises:
            WrongSetting: not such a URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise WrongSetting(f"{url!r} is not a URL") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise WrongSetting(f"{url!r} is not an http or https URL")
        return cls(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "https")

    @staticmethod
    def path_of(url: str) -> str:
        parts = urlsplit(url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_default = self.port == _PORTS["https" if self.is_tls else "http"]
        return host if is_default else f"{host}:{self.port}"


class Pool:
    """Sends requests over kept connections, on one event loop.

    Args:
        origin: the server.
        connections_max: more requests than this wait for a connection.
        connect_timeout_s: the longest wait for a connection.
        read_timeout_s: the longest wait for an answer.
        idle_max_s: how long an unused connection is trusted.
        tls: whom to trust; the system's authorities unless given.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        connections_max: int = 64,
        connect_timeout_s: float = 2.0,
        read_timeout_s: float = 3.0,
        idle_max_s: float = 20.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._origin = origin
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._idle_max_s = idle_max_s
        self._permits = asyncio.Semaphore(connections_max)
        self._tls = tls
        self._idle: list[tuple[float, Connection]] = []

    async def exchange(self, request: bytes, *, is_fresh: bool = False) -> HttpAnswer:
        """Send a request over a kept connection, or over a new one if none is or `is_fresh`.

        Raises:
            ConnectFailed: nothing was sent.
            AnswerLost: it was sent; StaleConnection if a kept connection turned out to be closed.
        """
        async with self._permits:
            connection = None if is_fresh else self._take_idle()
            if connection is None:
                connection = await self._connect()
            answer = await connection.exchange(request, self._read_timeout_s)
            if connection.is_open:
                self._idle.append((time.monotonic(), connection))
            return answer

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()

    def _take_idle(self) -> Connection | None:
        """The connection used last; those unused for long may be dead without a sign of it."""
        while self._idle:
            since, connection = self._idle.pop()
            if connection.is_open and time.monotonic() - since < self._idle_max_s:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        context = (self._tls or _system_tls()) if self._origin.is_tls else None
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                _, connection = await loop.create_connection(
                    Connection, self._origin.host, self._origin.port, ssl=context
                )
        except OSError as error:
            raise ConnectFailed(type(error).__name__) from error
        return connection


@lru_cache(maxsize=1)
def _system_tls() -> ssl.SSLContext:
    return ssl.create_default_context()
