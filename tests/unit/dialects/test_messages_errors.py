"""Errors on `/v1/messages`, as Anthropic's own SDK raises them."""

from __future__ import annotations

from decimal import Decimal

import anthropic
import httpx2 as httpx
import msgspec
import pytest

from bursar.dialects import openai_errors
from bursar.dialects.messages_errors import MESSAGES_ERRORS
from bursar.domain import errors
from tests.fakes.wire_files import wire_bytes


def _all_errors() -> list[type[errors.BursarError]]:
    found = [errors.BursarError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return [kind for kind in found if kind.__module__ == errors.__name__]


def _make(kind: type[errors.BursarError]) -> errors.BursarError:
    if issubclass(kind, errors.BudgetExceeded):
        return kind("m", advice="a", needed_usd=Decimal(1), left_usd=Decimal(0))
    if issubclass(kind, errors.RateLimited):
        return kind("m", retry_after_s=5)
    return kind("m")


def _client(status: int, body: bytes, content_type: str) -> anthropic.Anthropic:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body, headers={"content-type": content_type})

    http_client = anthropic.DefaultHttpxClient(transport=httpx.MockTransport(answer))
    return anthropic.Anthropic(api_key="k", max_retries=0, http_client=http_client)


def _raised(status: int, body: bytes) -> anthropic.APIStatusError:
    with pytest.raises(anthropic.APIStatusError) as raised:
        _client(status, body, "application/json").messages.create(
            model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}]
        )
    return raised.value


@pytest.mark.parametrize("kind", _all_errors())
def test_every_error_has_the_status_of_every_dialect_and_both_shapes(
    kind: type[errors.BursarError],
) -> None:
    error = _make(kind)
    body = MESSAGES_ERRORS.body_of(error)
    assert MESSAGES_ERRORS.status_of(error) == openai_errors.status_of(error)
    assert MESSAGES_ERRORS.headers_of(error) == openai_errors.headers_of(error)
    assert body["type"] == "error"
    assert body["detail"] == openai_errors.body_of(error)["detail"]
    assert set(body["error"]) == {"type", "message", "code", "param"}


@pytest.mark.parametrize(
    ("kind", "raised", "error_type"),
    [
        (errors.Unauthenticated, anthropic.AuthenticationError, "authentication_error"),
        (errors.Unpriceable, anthropic.APIStatusError, "billing_error"),
        (errors.BudgetExceeded, anthropic.PermissionDeniedError, "billing_error"),
        (errors.Forbidden, anthropic.PermissionDeniedError, "permission_error"),
        (errors.ModelNotFound, anthropic.NotFoundError, "not_found_error"),
        (errors.Conflict, anthropic.ConflictError, "invalid_request_error"),
        (errors.RequestTooLarge, anthropic.APIStatusError, "request_too_large"),
        (errors.InvalidRequest, anthropic.BadRequestError, "invalid_request_error"),
        (errors.Unprocessable, anthropic.UnprocessableEntityError, "invalid_request_error"),
        (errors.RateLimited, anthropic.RateLimitError, "rate_limit_error"),
        (errors.UpstreamUnreachable, anthropic.InternalServerError, "api_error"),
        (errors.UpstreamTimeout, anthropic.InternalServerError, "timeout_error"),
        (errors.StoreUnavailable, anthropic.InternalServerError, "api_error"),
        (errors.BursarError, anthropic.InternalServerError, "api_error"),
    ],
)
def test_anthropics_sdk_raises_what_it_would_for_anthropic(
    kind: type[errors.BursarError], raised: type[anthropic.APIStatusError], error_type: str
) -> None:
    error = _make(kind)
    body = msgspec.json.encode(MESSAGES_ERRORS.body_of(error))
    caught = _raised(MESSAGES_ERRORS.status_of(error), body)
    assert isinstance(caught, raised)
    assert caught.type == error_type
    assert isinstance(caught.body, dict)
    assert caught.body["error"]["message"].startswith("m")


@pytest.mark.parametrize(
    ("status", "raised", "error_type"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (409, anthropic.ConflictError, "invalid_request_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, anthropic.InternalServerError, "overloaded_error"),
    ],
)
def test_an_error_of_another_dialect_is_told_as_anthropic_would(
    status: int, raised: type[anthropic.APIStatusError], error_type: str
) -> None:
    theirs = b'{"error":{"message":"No.","type":"odd","param":"tools[0]","code":"c"}}'
    body = MESSAGES_ERRORS.refusal(status, theirs)
    caught = _raised(status, body)
    assert isinstance(caught, raised)
    assert msgspec.json.decode(body) == {
        "type": "error",
        "error": {"type": error_type, "message": "No.", "param": "tools[0]", "code": "c"},
        "detail": "No.",
    }


def test_a_failing_stream_ends_with_an_error_that_the_sdk_raises() -> None:
    begun, *_ = wire_bytes("messages/overloaded.sse").split(b"event: error")
    frames = begun + MESSAGES_ERRORS.stream_failure("upstream_broken")
    client = _client(200, frames, "text/event-stream")
    texts = []
    with (
        pytest.raises(anthropic.APIStatusError) as raised,
        client.messages.stream(
            model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}]
        ) as stream,
    ):
        texts += list(stream.text_stream)
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["error"]["code"] == "upstream_broken"
