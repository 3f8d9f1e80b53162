"""Bytes that are no text pass through Lambda both ways: uploads in, audio out."""

from __future__ import annotations

import asyncio
import base64
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from bursar.dialects.passed.transcriptions import parse_transcription
from functions.proxy.on_lambda.events import request_of
from functions.proxy.on_lambda.runtime import LambdaFunction, lambda_handler
from functions.proxy.on_lambda.serving import Deadlines, serve
from functions.proxy.on_lambda.sinks import ResponsePost
from tests.fakes.runtime_api import Invocation, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

_EVENT: dict[str, Any] = json.loads(
    (
        Path(__file__).parents[3] / "events" / "wire" / "lambda" / "rest-transcription.json"
    ).read_text()
)
_BYTES = bytes(range(256))


class Context:
    aws_request_id = "7c1f0d53-0a61-4a7e-9d2c-6b1f4a0e8b1d"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


async def _repeat(request: Request) -> Response:
    """Audio of what was uploaded."""
    return Response(await request.body(), media_type="audio/mpeg")


def app() -> Starlette:
    return Starlette(routes=[Route("/v1/audio/transcriptions", _repeat, methods=["POST"])])


@pytest.fixture
def a_loop() -> Iterator[None]:
    """Mangum takes the thread's loop, and would leave one that it had to make."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def uploaded() -> bytes:
    request = request_of(_EVENT)
    assert request is not None
    return request.body


def test_an_upload_arrives_as_the_bytes_it_was() -> None:
    request = request_of(_EVENT)
    assert request is not None
    content_type = dict(request.scope["headers"])[b"content-type"].decode()
    parsed = parse_transcription(request.body, content_type)
    assert str(parsed.model) == "openai:gpt-4o-transcribe"
    assert request.body.count(_BYTES) == 1
    assert request.scope["path"] == "/v1/audio/transcriptions"


def test_an_upload_whose_base64_is_broken_is_no_request() -> None:
    with pytest.raises(ValueError, match="base64"):
        request_of(_EVENT | {"body": "*"})


async def test_audio_is_streamed_as_the_bytes_it_is() -> None:
    async with RuntimeApi().serving() as api:
        invocation = Invocation(_EVENT)
        api.expect(invocation)
        request = request_of(_EVENT)
        assert request is not None
        post = ResponsePost(api.address, invocation.invoke_id, invocation.invocation_id)
        try:
            await serve(app(), request, post, Deadlines(math.inf, math.inf))
        finally:
            await post.close()
    assert invocation.prelude["headers"]["content-type"] == "audio/mpeg"
    assert invocation.body == uploaded()


def test_audio_that_is_not_streamed_is_the_bytes_it_is() -> None:
    function = LambdaFunction(app(), None)
    answer = function(_EVENT, Context())
    function.close()
    assert answer is not None
    _, _, body = answer.partition(bytes(8))
    assert body == uploaded()


@pytest.mark.usefixtures("a_loop")
def test_sam_local_gets_audio_in_base64() -> None:
    answer = lambda_handler(app(), {"AWS_SAM_LOCAL": "true"})(_EVENT, Context())
    assert answer["isBase64Encoded"] is True
    assert answer["headers"]["content-type"] == "audio/mpeg"
    assert base64.b64decode(answer["body"]) == uploaded()
