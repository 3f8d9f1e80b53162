"""The HTTP hop on aiohttp: the least CPU a request and an event, the dearest to import.

For servers that live long. The measurements that say so are in tests/benchmarks/RESULTS.md.
"""

from __future__ import annotations

import asyncio
import io
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from bursar.upstream.addresses import guarded_socket
from bursar.upstream.answer import StreamedAnswer, joined
from bursar.upstream.failures import (
    broken_before_answer,
    broken_in_body,
    timed_out,
    unreachable,
    unsendable,
)
from bursar.upstream.idle_timer import IdleTimer

if TYPE_CHECKING:
    import ssl

    from bursar.domain.errors import UpstreamError
    from bursar.domain.upstream import UpstreamRequest

# aiohttp warns of larger bodies in one write, which would block the event loop.
_ONE_WRITE_BYTES = 2**20
_FRESH_S = 1.0
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)


class AiohttpUpstream:
    """One client for the process and the event loop; its connections are kept and shared.

    A request is sent once. If a kept connection breaks after bytes of a request went into it,
    nobody knows whether the provider began to work, so that is an error and not a second try.
    Connections that a provider has closed while they were idle are noticed before they are used.

    No proxy of the environment is used, no `.netrc`, no redirect followed, and no cookie is kept.
    Addresses are guarded as `addresses` says.

    Args:
        tls: None verifies with the system's trust store, in aiohttp's one context.
        connect_timeout_s: for name resolution, TCP and TLS together.
        keep_alive_s: how long an idle connection is kept.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        connect_timeout_s: float = 10.0,
        keep_alive_s: float = 30.0,
    ) -> None:
        self._tls = tls
        self._connect_timeout_s = connect_timeout_s
        self._keep_alive_s = keep_alive_s
        # A kept connection may lead where the next request must not go, so each kind has its own.
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._last_use_s = 0.0

    async def send(self, request: UpstreamRequest) -> AiohttpAnswer:
        session = self._session(allows_private=request.allows_private)
        await self._notice_closed_connections()
        body = request.body
        try:
            response = await session.post(
                URL(request.url, encoded=True),
                data=body if len(body) <= _ONE_WRITE_BYTES else io.BytesIO(body),
                headers={**request.headers, "accept-encoding": "identity"},
                allow_redirects=False,
                timeout=_timeout(self._connect_timeout_s, request.idle_timeout_s),
            )
        except _NEVER_SENT as error:
            raise unreachable(request.provider, error) from None
        except TimeoutError:
            raise timed_out(request.provider, request.idle_timeout_s) from None
        except (aiohttp.ClientError, OSError):
            raise broken_before_answer(request.provider) from None
        except ValueError:  # of the head's own writing; what is read wrongly is a ClientError
            raise unsendable(request.provider) from None
        return AiohttpAnswer(request, response)

    async def close(self) -> None:
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _session(self, *, allows_private: bool) -> aiohttp.ClientSession:
        if allows_private not in self._sessions:
            self._sessions[allows_private] = self._start(allows_private=allows_private)
        return self._sessions[allows_private]

    def _start(self, *, allows_private: bool) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls or True,
                limit=0,
                keepalive_timeout=self._keep_alive_s,
                ttl_dns_cache=30,
                socket_factory=partial(guarded_socket, allows_private=allows_private),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": "bursar"},
            skip_auto_headers=("content-type",),
            auto_decompress=False,
            trust_env=False,
        )

    async def _notice_closed_connections(self) -> None:
        """Let the event loop see what arrived while it stood still.

        A frozen or blocked process has not read the FIN of a connection in its pool yet. The first
        turn of the loop reads it, the second tells the pool.
        """
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        if now_s - self._last_use_s > _FRESH_S:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        self._last_use_s = now_s


class AiohttpAnswer(StreamedAnswer):
    def __init__(self, request: UpstreamRequest, response: aiohttp.ClientResponse) -> None:
        super().__init__(
            provider=request.provider,
            status=response.status,
            headers=joined(response.raw_headers),
        )
        self._idle_timeout_s = request.idle_timeout_s
        self._response = response
        self._idle = IdleTimer(request.idle_timeout_s, response.content.set_exception)
        _untimed(response)

    async def _read(self) -> bytes:
        content, idle = self._response.content, self._idle
        idle.start()
        try:
            data = await content.readany()
        except TimeoutError:
            failure: UpstreamError = timed_out(self._provider, self._idle_timeout_s)
        except (aiohttp.ClientError, OSError):
            failure = broken_in_body(self._provider)
        else:
            idle.stop()
            return data
        idle.stop()
        if left := _left_in(content):
            return left  # the next read fails again
        raise failure

    async def _let_go(self) -> None:
        self._idle.close()
        self._response.close()  # which does nothing to a connection that was read to its end


def _untimed(response: aiohttp.ClientResponse) -> None:
    """Leave the waits for a body to `IdleTimer`: aiohttp sets a timer for each of its reads.

    The one that runs is cancelled by the next bytes, so the wait for those is still aiohttp's.
    """
    connection = response.connection  # None where the body is there already
    if connection is not None and connection.protocol is not None:
        connection.protocol.read_timeout = None


def _left_in(content: aiohttp.StreamReader) -> bytes:
    """What arrived before a failure and was not read yet.

    Every public way to read asks for the failure first and so forgets these bytes, which the
    provider has charged for.
    """
    return content._read_nowait(-1)  # noqa: SLF001 - held by the contract tests


@lru_cache(maxsize=64)
def _timeout(connect_timeout_s: float, idle_timeout_s: float) -> aiohttp.ClientTimeout:
    # Its `sock_connect` does not cover name resolution. Nobody waits for a place in the pool.
    return aiohttp.ClientTimeout(
        total=None, connect=connect_timeout_s, sock_connect=None, sock_read=idle_timeout_s
    )
