"""The HTTP hop on httpcore2, httpx2's transport: the least to import, for a cold function.

The layer above it, httpx2, adds redirects, cookies and encodings that a gateway must not follow,
keep or negotiate, for twice the import and a third more CPU a request; the measurements are in
tests/benchmarks/RESULTS.md.
"""

from __future__ import annotations

import ssl
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpcore2

from bursar.upstream.answer import StreamedAnswer, joined
from bursar.upstream.failures import (
    broken_before_answer,
    broken_in_body,
    timed_out,
    unreachable,
    unsendable,
)
from bursar.upstream.guarded_backend import GuardedBackend

if TYPE_CHECKING:
    from bursar.domain.upstream import UpstreamRequest

_NEVER_SENT = (
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.PoolTimeout,
    httpcore2.UnsupportedProtocol,
)
_BROKEN = (httpcore2.NetworkError, httpcore2.ProtocolError)
_SILENT = (httpcore2.ReadTimeout, httpcore2.WriteTimeout)


class Httpcore2Upstream:
    """One client for the process and the event loop; its connections are kept and shared.

    A request is sent once, as with `AiohttpUpstream`, and an idle connection that a provider has
    closed is noticed before it is used, also in a process that was frozen meanwhile.

    No proxy of the environment is used, no redirect followed, and no cookie is kept. Addresses are
    guarded as `addresses` says.

    Args:
        tls: None verifies with the system's trust store, in one context made here.
        connect_timeout_s: for name resolution and TCP, and again for TLS.
        keep_alive_s: how long an idle connection is kept.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        connect_timeout_s: float = 10.0,
        keep_alive_s: float = 30.0,
    ) -> None:
        self._connect_timeout_s = connect_timeout_s
        context = tls or ssl.create_default_context()
        # A kept connection may lead where the next request must not go, so each kind has a pool.
        self._pools = {
            allows_private: httpcore2.AsyncConnectionPool(
                ssl_context=context,
                max_connections=None,
                keepalive_expiry=keep_alive_s,
                network_backend=GuardedBackend(allows_private=allows_private),
            )
            for allows_private in (False, True)
        }

    async def send(self, request: UpstreamRequest) -> Httpcore2Answer:
        try:
            pool = self._pools[request.allows_private]
            response = await pool.handle_async_request(self._request(request))
        except _NEVER_SENT as error:
            raise unreachable(request.provider, error) from None
        except _SILENT:
            raise timed_out(request.provider, request.idle_timeout_s) from None
        except httpcore2.LocalProtocolError:
            raise unsendable(request.provider) from None
        except _BROKEN:
            raise broken_before_answer(request.provider) from None
        return Httpcore2Answer(request, response)

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    def _request(self, request: UpstreamRequest) -> httpcore2.Request:
        url, host = _parsed(request.url)
        headers = {
            "user-agent": "bursar",
            **request.headers,
            "host": host,
            "accept-encoding": "identity",
            "content-length": str(len(request.body)),
        }
        timeouts = {
            "connect": self._connect_timeout_s,
            "read": request.idle_timeout_s,
            "write": request.idle_timeout_s,
            "pool": self._connect_timeout_s,
        }
        return httpcore2.Request(
            "POST",
            url,
            headers=list(headers.items()),
            content=request.body,
            extensions={"timeout": timeouts},
        )


class Httpcore2Answer(StreamedAnswer):
    def __init__(self, request: UpstreamRequest, response: httpcore2.Response) -> None:
        super().__init__(
            provider=request.provider, status=response.status, headers=joined(response.headers)
        )
        self._idle_timeout_s = request.idle_timeout_s
        self._response = response
        self._body = response.aiter_stream()

    async def _read(self) -> bytes:
        try:
            data = await anext(self._body, b"")
        except _SILENT:
            raise timed_out(self._provider, self._idle_timeout_s) from None
        except _BROKEN:
            raise broken_in_body(self._provider) from None
        if not data:
            await self._let_go()
        return data

    async def _let_go(self) -> None:
        if self._at_rest:  # else another task is in the middle of it, or it is over
            await self._body.aclose()
        await self._response.aclose()


@lru_cache(maxsize=256)
def _parsed(url: str) -> tuple[httpcore2.URL, str]:
    """The URL in httpcore2's form and its Host header."""
    return httpcore2.URL(url), urlsplit(url).netloc
