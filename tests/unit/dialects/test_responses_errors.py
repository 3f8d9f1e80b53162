"""Errors as clients of the Responses API understand them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import openai
import pytest

from bursar.dialects.openai_errors import OPENAI_ERRORS
from bursar.dialects.responses_errors import RESPONSES_ERRORS
from bursar.dialects.sse import FrameSplitter, data_of
from bursar.domain.errors import InvalidRequest, RateLimited, UpstreamTimeout
from tests.fakes.wire_files import wire_bytes

if TYPE_CHECKING:
    from bursar.dialects.error_shape import ErrorShape


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequest("No", param="input"),
        RateLimited("Slowly", retry_after_s=3),
        UpstreamTimeout("Too long"),
    ],
)
def test_a_refusal_is_openais_own(error: InvalidRequest) -> None:
    shape: ErrorShape = RESPONSES_ERRORS
    assert shape.status_of(error) == OPENAI_ERRORS.status_of(error)
    assert shape.headers_of(error) == OPENAI_ERRORS.headers_of(error)
    assert shape.body_of(error) == OPENAI_ERRORS.body_of(error)


def _client(stream: bytes) -> openai.OpenAI:
    answer = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    transport = httpx2.MockTransport(lambda _: answer)
    return openai.OpenAI(
        api_key="k", base_url="http://gateway/v1", http_client=httpx2.Client(transport=transport)
    )


def test_a_broken_stream_raises_in_openais_sdk_after_what_had_come() -> None:
    begun = wire_bytes("responses/text.sse").split(b"event: response.output_text.done")[0]
    stream = begun + RESPONSES_ERRORS.stream_failure("upstream_broken")
    events = _client(stream).responses.create(model="m", input="x", stream=True)
    seen: list[str] = []
    with pytest.raises(openai.APIError, match="An error occurred during streaming") as raised:
        seen.extend(event.type for event in events)
    assert seen[-1] == "response.output_text.delta"
    assert raised.value.code == "upstream_broken"


def test_an_agent_that_waits_for_the_responses_end_is_told_that_it_failed() -> None:
    """Codex reads no `error` event; it takes the message of `response.failed`."""
    frames = FrameSplitter().feed(RESPONSES_ERRORS.stream_failure("upstream_broken"))
    assert [frame.split(b"\n")[0] for frame in frames] == [
        b"event: error",
        b"event: response.failed",
    ]
    failed = openai.types.responses.ResponseFailedEvent.model_validate_json(
        data_of(frames[1]) or b""
    )
    assert failed.response.status == "failed"
    assert failed.response.error is not None
    assert failed.response.error.code == "server_error"
