"""A stream that is silent for long still shows that it is alive."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bursar.domain.usage import Status
from bursar.services.answers import StreamedAnswer
from functions.proxy.inbound import INBOUND
from functions.proxy.inference import InferenceRoute
from functions.proxy.streamed import HEARTBEAT, EventStream, send_stream
from tests.fakes.scripted_upstream import DONE, delta, stream
from tests.fakes.world import World

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from bursar.services.answers import Write

_CHAT = {
    "model": "openai:gpt-test",
    "messages": [{"role": "user", "content": "hello"}],
    "max_tokens": 100,
    "stream": True,
}
_SOON_S = 0.02


class Caller:
    """ASGI's `send`: opens a gate once so much has arrived."""

    def __init__(self, gate: asyncio.Event, awaited: bytes) -> None:
        self.body = b""
        self.pieces: list[bytes] = []
        self._gate = gate
        self._awaited = awaited

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self.pieces.append(message["body"])
            self.body += message["body"]
            if self._awaited in self.body:
                self._gate.set()


async def ask(
    world: World, heartbeat_s: float, beaten: asyncio.Event | None = None
) -> httpx2.Response:
    """Ask in chat's dialect; `beaten` is set once a comment was sent."""
    key = await world.someone("1")
    route = InferenceRoute(world.completion, INBOUND["/v1/chat/completions"], 10_000, heartbeat_s)
    app = Starlette(routes=[Route("/chat", route, methods=["POST"])])

    async def listened(scope: Scope, receive: Receive, send: Send) -> None:
        async def heard(message: Message) -> None:
            await send(message)
            if beaten is not None and message.get("body") == HEARTBEAT:
                beaten.set()

        await app(scope, receive, heard)

    transport = httpx2.ASGITransport(app=listened)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        return await client.post("/chat", json=_CHAT, headers={"authorization": f"Bearer {key}"})


async def test_a_silence_is_filled_with_comments_between_whole_events() -> None:
    gate = asyncio.Event()
    caller = Caller(gate, delta("a") + HEARTBEAT + HEARTBEAT)
    events = EventStream(caller.send, 200, {})
    beating = asyncio.create_task(events.beat(_SOON_S))
    await events.write(delta("a"))
    async with asyncio.timeout(10):
        await gate.wait()
    await events.write(delta("b"))
    await events.end()
    beating.cancel()
    assert set(caller.pieces) == {delta("a"), HEARTBEAT, delta("b"), b""}
    assert caller.pieces[-1] == b""


async def test_nothing_is_said_before_the_first_event_so_that_a_status_still_can_be() -> None:
    caller = Caller(asyncio.Event(), b"never")
    events = EventStream(caller.send, 200, {})
    beating = asyncio.create_task(events.beat(_SOON_S))
    await asyncio.sleep(_SOON_S * 5)
    beating.cancel()
    assert caller.pieces == []


async def test_a_stream_that_goes_on_needs_no_comments() -> None:
    world = World()
    world.upstream.answer = stream(delta("a"), delta("b"), DONE)
    answer = await ask(world, heartbeat_s=60)
    assert answer.content == delta("a") + delta("b") + DONE


class Speaking:
    """A relay of audio that falls silent in the middle."""

    async def run(self, write: Write) -> None:
        await write(b"RIFF")
        await asyncio.sleep(_SOON_S * 5)
        await write(b"\n")

    async def abandon(self, error: BaseException) -> None:
        raise AssertionError


async def test_audio_has_no_comments_in_its_silences() -> None:
    caller = Caller(asyncio.Event(), b"never")
    headers = {"content-type": "audio/wav"}
    answer = StreamedAnswer(200, headers, Speaking())
    never = asyncio.Event()
    await send_stream(never.wait, caller.send, headers, answer, _SOON_S)  # type: ignore[arg-type]  # nothing is received
    assert caller.body == b"RIFF\n"


async def test_comments_cost_nothing_and_change_nothing_in_the_books() -> None:
    world = World()
    silence = asyncio.Event()
    world.upstream.answer = stream(delta("a"), silence, delta("b"), DONE)
    answer = await ask(world, _SOON_S, beaten=silence)
    assert HEARTBEAT in answer.content
    assert answer.content.replace(HEARTBEAT, b"") == delta("a") + delta("b") + DONE
    record = await world.record()
    assert record.status is Status.SUCCESS
    assert record.usage is not None
    assert record.usage.output_tokens == len("ab")


async def test_a_comment_never_cuts_into_an_event_that_a_slow_caller_is_still_taking() -> None:
    taken = asyncio.Event()
    pieces: list[bytes] = []

    async def send(message: Message) -> None:
        pieces.append(message.get("body", b""))
        if message.get("body") == delta("b"):
            await taken.wait()

    events = EventStream(send, 200, {})
    beating = asyncio.create_task(events.beat(_SOON_S))
    await events.write(delta("a"))
    writing = asyncio.create_task(events.write(delta("b")))
    await asyncio.sleep(_SOON_S * 5)
    assert pieces == [b"", delta("a"), delta("b")]
    taken.set()
    await writing
    beating.cancel()


async def test_a_comment_that_nobody_takes_means_that_the_caller_has_gone() -> None:
    async def send(message: Message) -> None:
        if message.get("body") == HEARTBEAT:
            raise ConnectionResetError

    events = EventStream(send, 200, {})
    await events.write(delta("a"))
    with pytest.raises(ConnectionResetError):
        async with asyncio.timeout(10):
            await events.beat(_SOON_S)
