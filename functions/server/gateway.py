"""All of Bursar in one ASGI app: data plane, control plane, and the schedule on a timer."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from bursar.domain.errors import StoreUnavailable
from functions.proxy.inbound import COUNT_TOKENS_PATH, INBOUND

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bursar.services.sweep import Sweep

_LOG = logging.getLogger(__name__)
# Requests that a stop cancels still write their books, which takes the store a few calls.
_LAST_BOOKS_S = 10
_DATA_PLANE = frozenset({*INBOUND, COUNT_TOKENS_PATH, "/v1/models"})


class Gateway:
    """Hands each request to the plane it belongs to, and runs the schedule meanwhile.

    Args:
        proxy: the data plane.
        admin: the control plane; it gets every path that is not the data plane's.
        sweep: the schedule's work.
        sweep_interval_s: pause between two sweeps.
        closing: what to let go of at the end, in order.
    """

    def __init__(
        self,
        proxy: ASGIApp,
        admin: ASGIApp,
        sweep: Sweep,
        sweep_interval_s: float,
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        self._proxy = proxy
        self._admin = admin
        self._sweep = sweep
        self._sweep_interval_s = sweep_interval_s
        self._closing = closing
        self._in_flight: set[asyncio.Task[object]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        app = self._proxy if is_data_plane(scope["path"]) else self._admin
        with self._counted():
            await app(scope, receive, send)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 (a coroutine that runs has a task)
        self._in_flight.add(task)
        try:
            yield
        finally:
            self._in_flight.discard(task)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        done: Message = {"type": "lifespan.shutdown.complete"}
        await send(done)

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        timer = asyncio.create_task(self._sweep_for_ever())
        try:
            yield
        finally:
            timer.cancel()
            with suppress(asyncio.CancelledError):
                await timer
            if self._in_flight:
                await asyncio.wait(self._in_flight, timeout=_LAST_BOOKS_S)
            for close in self._closing:
                await close()

    async def _sweep_for_ever(self) -> None:
        while True:
            try:
                await self._sweep.run()
            except StoreUnavailable:
                _LOG.warning("a sweep stopped half way; the next one goes on", exc_info=True)
            await asyncio.sleep(self._sweep_interval_s)


def is_data_plane(path: str) -> bool:
    """Tell whether a path is one of the proxy's."""
    return path in _DATA_PLANE or path.startswith("/v1/models/")
