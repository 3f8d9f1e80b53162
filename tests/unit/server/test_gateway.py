from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from functions.server.gateway import Gateway
from tests.fakes.world import World

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send


class Lifespan:
    """A server's side of the lifespan protocol."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Message] = asyncio.Queue()
        self.heard: list[str] = []

    async def send(self, message: Message) -> None:
        self.heard.append(message["type"])


async def test_a_stop_waits_for_the_books_of_the_requests_that_it_cancelled() -> None:
    happened: list[str] = []

    async def slow_to_close(scope: Scope, receive: Receive, send: Send) -> None:
        happened.append("asked")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            happened.append("books closed")

    async def let_go_of_the_store() -> None:
        happened.append("store closed")

    sweep = World().sweep
    gateway = Gateway(slow_to_close, slow_to_close, sweep, 3600, closing=(let_go_of_the_store,))
    lifespan = Lifespan()
    living = asyncio.create_task(_run(gateway, {"type": "lifespan"}, lifespan))
    await lifespan.told.put({"type": "lifespan.startup"})
    asking = asyncio.create_task(_run(gateway, {"type": "http", "path": "/v1/models"}, lifespan))
    while not happened:  # noqa: ASYNC110 (what it waits for is no event)
        await asyncio.sleep(0)

    asking.cancel()
    await lifespan.told.put({"type": "lifespan.shutdown"})
    await living

    assert happened == ["asked", "books closed", "store closed"]
    assert lifespan.heard == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def _run(gateway: Gateway, scope: dict[str, Any], lifespan: Lifespan) -> None:
    await gateway(scope, lifespan.told.get, lifespan.send)
