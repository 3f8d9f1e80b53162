"""A gateway for Codex on loopback, and a provider of chat that calls its tools.

The provider says one turn of its script for each turn that Codex has had, in a stream of pieces.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn

from bursar.domain.aliases import Alias, AliasTarget
from functions.proxy.app import create_app
from tests.fakes.scripted_upstream import DONE, ScriptedAnswer, ScriptedUpstream, event, stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from bursar.domain.upstream import UpstreamRequest
    from tests.fakes.world import World

MODEL = "groq:llama"
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


class Script(ScriptedUpstream):
    """Args:
    turns: of each, the message that is streamed: its reasoning, text and calls of tools.
    """

    def __init__(self, turns: Sequence[dict[str, Any]]) -> None:
        super().__init__()
        self._turns = turns
        self.chats: list[dict[str, Any]] = []

    async def send(self, request: UpstreamRequest) -> ScriptedAnswer:
        chat = json.loads(request.body)
        self.chats.append(chat)
        had = sum(message["role"] == "assistant" for message in chat["messages"])
        return stream(*_pieces(self._turns[min(had, len(self._turns) - 1)]), DONE)


def _pieces(turn: dict[str, Any]) -> Iterator[bytes]:
    for field in ("reasoning_content", "content"):
        for word in turn.get(field, "").split():
            yield _chunk({field: f"{word} "})
    for index, (name, arguments) in enumerate(turn.get("calls", ())):
        text = json.dumps(arguments)
        function = {"name": name, "arguments": text[:5]}
        call = {"index": index, "id": f"call_{name}_{index}", "type": "function"}
        yield _chunk({"tool_calls": [{**call, "function": function}]})
        yield _chunk({"tool_calls": [{"index": index, "function": {"arguments": text[5:]}}]})
    yield _chunk({}, finish_reason="stop", usage=USAGE)


def _chunk(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return event({"id": "chatcmpl-1", "choices": [choice], **more})


@dataclass(frozen=True, slots=True)
class Session:
    """What Codex is told to use.

    Attributes:
        key: a virtual key.
        url: of the gateway.
    """

    key: str
    url: str


@asynccontextmanager
async def serving(world: World, alias: str) -> AsyncIterator[Session]:
    """Answer on a port of its own, the model under a name that Codex knows."""
    now = world.now
    await world.price(MODEL, context_window_tokens=1_000_000, max_output_tokens=8_000)
    named = Alias(alias, (AliasTarget(MODEL),), now, now)
    await world.storage.directory.aliases.put(named)
    await world.user(budget_id=await world.budget("100"), budget_started_at=now)
    app = create_app(world.proxy_services(request_bytes_max=10_000_000))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.05)
            assert not task.done()
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Session(await world.key(), f"http://127.0.0.1:{port}/v1")
    finally:
        server.should_exit = True
        await task
