"""What an event of a stream costs, counted in calls of Python functions: alike on every machine.

A coroutine's resumption counts as a call, as the profiler sees it. Counted is the gateway's own
code; the HTTP libraries, the server and asyncio are around it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bursar.dialects.chat_wire import CHAT
from bursar.dialects.messages_wire import MESSAGES
from bursar.dialects.responses_wire import RESPONSES
from functions.proxy.app import create_app
from tests.fakes.anthropic_events import message_events
from tests.fakes.openai_behaviour import behaviour_of
from tests.fakes.openai_shapes import chat_events
from tests.fakes.responses_events import response_events
from tests.fakes.scripted_upstream import DONE, EVENT_STREAM, ScriptedAnswer, delta
from tests.fakes.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from types import FrameType

    from starlette.types import Message

    from bursar.dialects.passage import WireDialect

FEW, MANY = 128, 384
CALLS_MAX = 22
READING_CALLS_MAX = 12
EVENTS: dict[str, tuple[WireDialect, Callable[..., Iterable[bytes]]]] = {
    "chat": (CHAT, chat_events),
    "messages": (MESSAGES, message_events),
    "responses": (RESPONSES, response_events),
}


@dataclass
class Counted:
    calls: int = 0

    def see(self, frame: FrameType, event: str, _: object) -> None:
        module = frame.f_globals.get("__name__", "")
        self.calls += event == "call" and module.startswith(("bursar.", "functions."))


@contextmanager
def counting() -> Iterator[Counted]:
    counted, before = Counted(), sys.getprofile()
    sys.setprofile(counted.see)
    try:
        yield counted
    finally:
        sys.setprofile(before)


class Coming(ScriptedAnswer):
    """Each chunk is waited for, as it is on a network."""

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in super().chunks():
            await asyncio.sleep(0)
            yield chunk


async def calls_of_a_stream(words: int) -> int:
    """From the request to the end of its answer."""
    world = World()
    key = await world.someone("1")
    world.upstream.answer = Coming(200, EVENT_STREAM, [delta("word ")] * words + [DONE])
    body = {
        "model": "openai:gpt-test",
        "messages": [{"role": "user", "content": "?"}],
        "max_tokens": 100,
        "stream": True,
    }
    asked: list[Message] = [{"type": "http.request", "body": json.dumps(body).encode()}]
    sent: list[Message] = []

    async def receive() -> Message:
        return asked.pop() if asked else await asyncio.Event().wait()  # type: ignore[return-value]

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/chat/completions",
        "headers": [(b"authorization", f"Bearer {key}".encode())],
    }
    app = create_app(world.proxy_services())
    with counting() as counted:
        await app(scope, receive, send)
    assert sum(message.get("body") == delta("word ") for message in sent) == words
    return counted.calls


async def test_an_event_that_passes_costs_few_calls() -> None:
    more = await calls_of_a_stream(MANY) - await calls_of_a_stream(FEW)
    assert more / (MANY - FEW) < CALLS_MAX


@pytest.mark.parametrize("dialect", EVENTS)
def test_a_word_costs_few_calls_to_read_and_to_meter(dialect: str) -> None:
    wire, events = EVENTS[dialect]
    assert wire.reader is not None
    request = {"model": "m", "messages": [], "input": "?", "max_tokens": 10_000}
    frames = list(events(request, behaviour_of(f"words-{MANY}"), 1))
    reader = wire.reader(wire.splitter(), wire.stream_meter(True))  # noqa: FBT003
    with counting() as counted:
        for frame in frames:
            reader.feed(frame)
    assert reader.output_bytes > MANY
    assert counted.calls / len(frames) < READING_CALLS_MAX
