"""The app, served to Lambda's Runtime API: what goes over the wire, and what the books say."""

from __future__ import annotations

import asyncio
import json
import math
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.usage import Status
from functions.proxy.app import create_app
from functions.proxy.on_lambda.events import request_of
from functions.proxy.on_lambda.serving import Deadlines, serve
from functions.proxy.on_lambda.sinks import ResponsePost
from tests.fakes.runtime_api import Invocation, RuntimeApi
from tests.fakes.scripted_upstream import DONE, completion, delta, stream, usage_chunk
from tests.fakes.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.types import Message, Receive, Scope, Send

_EVENTS = Path(__file__).parents[3] / "events"
_NEVER = Deadlines(math.inf, math.inf)
_SOON_S = 0.3
_SSE = [(b"content-type", b"text/event-stream")]


def chat_event(key: str, **body: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((_EVENTS / "rest-chat.json").read_text())
    asked = json.loads(event["body"]) | {"model": "openai:gpt-test"} | body
    return event | {
        "body": json.dumps(asked),
        "multiValueHeaders": {"Authorization": [f"Bearer {key}"]},
    }


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def api() -> AsyncIterator[RuntimeApi]:
    async with RuntimeApi().serving() as api:
        yield api


def app_of(world: World) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    return create_app(world.proxy_services())


async def answer(
    api: RuntimeApi,
    app: Callable[[Scope, Receive, Send], Awaitable[None]],
    invocation: Invocation,
    deadlines: Deadlines = _NEVER,
) -> Invocation:
    api.expect(invocation)
    request = request_of(invocation.event)
    assert request is not None
    post = ResponsePost(api.address, invocation.invoke_id, invocation.invocation_id)
    try:
        await serve(app, request, post, deadlines)
    finally:
        await post.close()
    return invocation


@asynccontextmanager
async def answering(
    api: RuntimeApi,
    app: Callable[[Scope, Receive, Send], Awaitable[None]],
    invocation: Invocation,
    deadlines: Deadlines = _NEVER,
) -> AsyncIterator[Invocation]:
    task = asyncio.create_task(answer(api, app, invocation, deadlines))
    try:
        yield invocation
        await task
    finally:
        task.cancel()


def _soon() -> Deadlines:
    return Deadlines(time.monotonic() + _SOON_S, math.inf)


async def test_a_whole_answer_is_its_prelude_eight_nuls_and_its_body(
    world: World, api: RuntimeApi
) -> None:
    key = await world.someone("1")
    world.upstream.answer = completion()
    got = await answer(api, app_of(world), Invocation(chat_event(key)))

    assert got.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    assert got.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert got.headers["transfer-encoding"] == "chunked"
    assert got.headers["lambda-runtime-invocation-id"] == got.invocation_id
    _, first = got.chunks[0]
    assert first.endswith(b"}" + bytes(8))
    assert first.count(b"\0") == 8
    assert got.prelude.keys() == {"statusCode", "headers", "cookies"}
    assert got.prelude["statusCode"] == 200
    assert got.prelude["headers"]["content-type"] == "application/json"
    assert got.prelude["headers"]["x-bursar-cost-usd"] == "0.00002"
    assert "content-length" not in got.prelude["headers"]
    assert got.json()["id"] == "c1"
    assert got.trailers == {}


async def test_each_event_of_a_stream_goes_out_before_the_next_one_exists(
    world: World, api: RuntimeApi
) -> None:
    key = await world.someone("1")
    gates = [asyncio.Event() for _ in range(3)]
    script = [step for i, gate in enumerate(gates) for step in (delta(f"<{i}>"), gate)]
    world.upstream.answer = stream(*script, usage_chunk(), DONE)

    async with answering(api, app_of(world), Invocation(chat_event(key, stream=True))) as got:
        for number, gate in enumerate(gates):
            await got.body_has(f"<{number}>".encode())
            assert f"<{number + 1}>".encode() not in got.body
            gate.set()
        await got.wait()

    assert got.prelude["headers"]["content-type"] == "text/event-stream"
    assert got.body.endswith(DONE)
    assert (await world.record()).status is Status.SUCCESS


async def test_a_refusal_is_an_http_status_in_the_prelude(world: World, api: RuntimeApi) -> None:
    await world.someone("1")
    got = await answer(api, app_of(world), Invocation(chat_event("gw-nobodys", stream=True)))
    assert got.prelude["statusCode"] == 401
    assert got.prelude["headers"]["content-type"] == "application/json"
    assert got.json()["error"]["code"] == "invalid_api_key"


async def test_an_app_that_fails_before_its_answer_is_a_500_in_json(api: RuntimeApi) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("canary of the inside")

    got = await answer(api, app, Invocation(chat_event("gw-x")))
    assert got.kind == "response"
    assert got.prelude["statusCode"] == 500
    assert got.json()["error"]["type"] == "server_error"
    assert b"canary" not in got.raw
    assert got.trailers == {}


async def test_an_app_that_fails_in_its_answer_is_told_in_trailers(api: RuntimeApi) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _SSE})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        raise ZeroDivisionError("canary of the inside")

    got = await answer(api, app, Invocation(chat_event("gw-x")))
    assert got.body == b"data: 1\n\n"
    assert got.trailers["lambda-runtime-function-error-type"] == "ZeroDivisionError"
    assert got.error["errorType"] == "ZeroDivisionError"
    assert "canary" not in json.dumps(got.error)


async def test_an_answer_that_its_app_leaves_open_is_told_in_trailers(api: RuntimeApi) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _SSE})

    got = await answer(api, app, Invocation(chat_event("gw-x")))
    assert got.error["errorType"]


async def test_an_app_that_fails_after_its_answer_has_answered(api: RuntimeApi) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"all"})
        raise RuntimeError

    got = await answer(api, app, Invocation(chat_event("gw-x")))
    assert (got.body, got.trailers) == (b"all", {})


async def test_repeated_headers_are_joined_and_cookies_are_listed(api: RuntimeApi) -> None:
    headers = [
        (b"Set-Cookie", b"a=1; Path=/"),
        (b"set-cookie", b"b=2"),
        (b"vary", b"origin"),
        (b"Vary", b"authorization"),
        (b"transfer-encoding", b"chunked"),
        (b"content-length", b"0"),
    ]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body"})

    got = await answer(api, app, Invocation(chat_event("gw-x")))
    assert got.prelude == {
        "statusCode": 204,
        "headers": {"vary": "origin, authorization"},
        "cookies": ["a=1; Path=/", "b=2"],
    }
    assert got.body == b""


async def test_a_caller_who_leaves_a_stream_is_charged_for_what_came(
    world: World, api: RuntimeApi
) -> None:
    key = await world.someone("1")
    silence = asyncio.Event()
    upstream = stream(delta("a"), silence, DONE)
    world.upstream.answer = upstream
    event = chat_event(key, stream=True)

    # The prelude and one event; nothing comes after them, so only the reset can tell.
    await answer(api, app_of(world), Invocation(event, leaves_after=2))

    record = await world.record()
    assert record.status is Status.DISCONNECTED
    assert record.is_estimated
    assert record.cost_usd
    balance = await world.balance()
    assert (balance.holds, balance.committed_usd) == ({}, record.cost_usd)
    assert upstream.is_closed


async def test_a_caller_who_leaves_before_the_end_of_a_whole_answer_is_settled(
    world: World, api: RuntimeApi
) -> None:
    key = await world.someone("1")
    world.upstream.answer = completion()
    await answer(api, app_of(world), Invocation(chat_event(key), leaves_after=1))
    record = await world.record()
    assert (await world.balance()).committed_usd == record.cost_usd
    assert (await world.balance()).holds == {}


async def test_a_response_that_the_runtime_api_refuses_is_a_caller_who_left(
    world: World, api: RuntimeApi
) -> None:
    key = await world.someone("1")
    world.upstream.answer = stream(delta("a"), asyncio.Event(), DONE)
    await answer(api, app_of(world), Invocation(chat_event(key, stream=True), status=413))
    assert (await world.record()).status is Status.DISCONNECTED


async def test_a_stream_that_outlasts_the_function_ends_properly_and_is_settled(
    world: World, api: RuntimeApi
) -> None:
    key = await world.someone("1")
    world.upstream.answer = stream(delta("a"), asyncio.Event(), DONE)
    event = chat_event(key, stream=True)

    got = await answer(api, app_of(world), Invocation(event), _soon())

    frames = got.body.split(b"\n\n")
    assert json.loads(frames[-3].removeprefix(b"data: "))["error"]["code"] == "upstream_timeout"
    assert got.body.endswith(DONE)
    assert got.trailers == {}
    assert (await world.record()).status is Status.ERROR
    assert (await world.balance()).holds == {}


async def test_an_answer_that_outlasts_the_function_is_a_504_and_charged(
    world: World, api: RuntimeApi
) -> None:
    key = await world.someone("1")
    world.upstream.answer = stream(asyncio.Event(), DONE)
    event = chat_event(key, stream=True)
    got = await answer(api, app_of(world), Invocation(event), _soon())
    assert got.prelude["statusCode"] == 504
    assert (await world.balance()).holds == {}


async def test_an_app_that_ignores_its_deadline_is_cancelled_in_time(api: RuntimeApi) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    got = await answer(api, app, Invocation(chat_event("gw-x")), Deadlines.within(0.5))
    assert got.prelude["statusCode"] == 500


async def test_the_end_of_a_function_leaves_time_to_settle() -> None:
    long, short = Deadlines.within(900), Deadlines.within(4)
    assert long.cancel_at - long.answer_by == pytest.approx(7.5)
    assert short.cancel_at - short.answer_by == pytest.approx(0.75)


async def test_an_app_hears_one_body_and_then_nothing_until_its_caller_leaves(
    api: RuntimeApi,
) -> None:
    heard: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": _SSE})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        heard.append(await receive())

    await answer(api, app, Invocation(chat_event("gw-x", n=1), leaves_after=2))
    assert json.loads(heard[0]["body"])["n"] == 1
    assert not heard[0]["more_body"]
    assert heard[1] == {"type": "http.disconnect"}
