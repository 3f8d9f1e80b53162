"""HTTP as real clients and proxies speak it, on one gateway with a small limit for bodies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.e2e.deployment import MODEL
from tests.e2e.gateway_process import NO_TLS
from tests.e2e.raw_http import Connection, message
from tests.fakes.openai_behaviour import Behaviour
from tests.fakes.openai_shapes import chat_body, chat_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.e2e.deployment import Deployment, Holder
    from tests.fakes.openai_upstream import FakeOpenAI

CHAT = "/v1/chat/completions"
BYTES_MAX = 100_000
SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
}


@pytest.fixture(scope="module")
def small(deployment: Deployment) -> Iterator[Deployment]:
    with deployment.running(request_bytes_max=str(BYTES_MAX)):
        yield deployment


@pytest.fixture(scope="module")
def holder(small: Deployment) -> Holder:
    return small.holder()


@pytest.fixture
def connection(small: Deployment) -> Iterator[Connection]:
    with Connection(small.gateway.port) as opened:
        yield opened


def _body(**fields: Any) -> bytes:
    messages = [{"role": "user", "content": "Grüezi!"}]
    return json.dumps({"model": MODEL, "messages": messages, "max_tokens": 2, **fields}).encode()


def _check_headers(headers: Mapping[str, str]) -> None:
    assert len(headers["x-request-id"]) == 36
    assert {name: headers[name] for name in SECURITY} == SECURITY
    assert headers["cache-control"] == "private, no-store, no-cache"
    assert headers["vary"] == "Authorization"
    assert "server" not in headers


def test_a_plain_answers_bytes_are_the_providers_own(
    connection: Connection, holder: Holder, upstream: FakeOpenAI
) -> None:
    connection.send(message("POST", CHAT, holder.headers, _body()))
    response = connection.response()
    assert response.body == chat_body(upstream.last.json(), Behaviour(), len(upstream.requests))
    assert response.headers["content-type"] == "application/json"
    _check_headers(response.headers)


def test_a_streams_bytes_are_the_providers_own(
    connection: Connection, holder: Holder, upstream: FakeOpenAI
) -> None:
    body = _body(stream=True, stream_options={"include_usage": True})
    connection.send(message("POST", CHAT, holder.headers, body))
    response = connection.response()
    events = chat_events(upstream.last.json(), Behaviour(), len(upstream.requests))
    assert response.body == b"".join(events)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["x-accel-buffering"] == "no"
    _check_headers(response.headers)


def test_a_streams_chunks_arrive_while_the_provider_still_writes(
    connection: Connection, holder: Holder, upstream: FakeOpenAI
) -> None:
    body = _body(stream=True, fake={"fault": "stall", "fault_after": 2})
    connection.send(message("POST", CHAT, holder.headers, body))
    connection.head()
    assert b'"role":"assistant"' in connection.chunk()
    assert not upstream.last.finished


def test_only_the_model_of_a_body_is_rewritten(
    connection: Connection, holder: Holder, upstream: FakeOpenAI
) -> None:
    odd = (
        b'{"x":1.50e3,"model":"openai:fake",'
        b'"messages":[{"role":"user","content":"\\u00fc"}],"y":{}}'
    )
    connection.send(message("POST", CHAT, holder.headers, odd))
    assert connection.response().status == 200
    assert upstream.last.body == odd.replace(b"openai:", b"")


def test_a_chunked_body_is_read(
    connection: Connection, holder: Holder, upstream: FakeOpenAI
) -> None:
    body = _body(x="x" * 50_000)
    connection.send(message("POST", CHAT, holder.headers, body, chunk_bytes=1_000))
    assert connection.response().status == 200
    assert upstream.last.json()["x"] == "x" * 50_000
    assert upstream.last.headers["content-length"] == str(len(upstream.last.body))


def test_a_connection_carries_several_requests_one_after_another_and_in_advance(
    connection: Connection, holder: Holder
) -> None:
    plain = message("POST", CHAT, holder.headers, _body())
    streamed = message("POST", CHAT, holder.headers, _body(stream=True))
    refused = message("POST", CHAT, {}, _body())
    for request in (plain, refused, streamed):
        connection.send(request)
        connection.response()
    connection.send(plain + streamed + refused + plain)
    responses = [connection.response() for _ in range(4)]
    assert [response.status for response in responses] == [200, 200, 401, 200]
    assert responses[1].body.endswith(b"data: [DONE]\n\n")
    assert len({response.headers["x-request-id"] for response in responses}) == 4


def test_a_client_that_waits_for_a_go_ahead_gets_one(
    connection: Connection, holder: Holder
) -> None:
    """As curl does with a body of more than a mebibyte."""
    body = _body()
    headers = {**holder.headers, "expect": "100-continue", "content-length": str(len(body))}
    connection.send(message("POST", CHAT, headers))
    assert connection.head()[0] == 100
    connection.send(body)
    assert connection.response().status == 200


@pytest.mark.parametrize("chunk_bytes", [0, 10_000], ids=["announced", "chunked"])
def test_a_body_over_the_limit_is_refused_and_reaches_no_provider(
    connection: Connection, holder: Holder, upstream: FakeOpenAI, chunk_bytes: int
) -> None:
    before = len(upstream.requests)
    body = _body(x="x" * BYTES_MAX)
    connection.send(message("POST", CHAT, holder.headers, body, chunk_bytes=chunk_bytes))
    response = connection.response()
    assert response.status == 413
    assert response.json()["error"]["code"] == "request_too_large"
    assert str(BYTES_MAX) in response.json()["detail"]
    assert len(upstream.requests) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"model": "openai:fake", "messages": NaN}',
        b"\xff{}",
        b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    ],
    ids=["empty", "half", "array", "null", "NaN", "not UTF-8", "deep"],
)
def test_what_is_not_a_json_object_is_a_bad_request(
    connection: Connection, holder: Holder, body: bytes
) -> None:
    connection.send(message("POST", CHAT, {**holder.headers, "content-length": str(len(body))}))
    connection.send(body)
    response = connection.response()
    assert response.status == 400
    assert response.json()["error"]["code"] == "invalid_request"
    _check_headers(response.headers)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"model": "openai:" + "x" * 5_000}, 402),
        ({"max_tokens": 10**40}, 400),
        ({"tools": [{"type": ["function"]}]}, 402),
        ({"messages": [{"role": "user", "content": [{"type": {}}]}]}, 402),
        ({"messages": [{"role": "user", "content": 5}]}, 200),
    ],
)
def test_odd_values_are_the_callers_mistakes_and_not_the_gateways(
    connection: Connection, holder: Holder, fields: dict[str, Any], status: int
) -> None:
    connection.send(message("POST", CHAT, holder.headers, _body(**fields)))
    assert connection.response().status == status


def test_a_request_without_credentials_is_told_so_whatever_it_sends(
    connection: Connection,
) -> None:
    connection.send(message("POST", CHAT, {}, b"{"))
    response = connection.response()
    assert response.status == 401
    assert response.json()["detail"] == "Missing X-AnyLLM-Key or Authorization header"
    _check_headers(response.headers)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", CHAT, 405),
        ("OPTIONS", CHAT, 405),
        ("HEAD", CHAT, 405),
        ("DELETE", "/v1/models", 405),
        ("PUT", "/v1/keys", 405),
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/batches", 404),
        ("GET", CHAT + "/", 404),
        ("HEAD", "/nothing", 404),
        ("POST", "//v1/chat/completions", 404),
    ],
)
def test_a_wrong_path_or_method_is_answered_in_json_with_an_id(
    connection: Connection, holder: Holder, method: str, path: str, status: int
) -> None:
    connection.send(message(method, path, {**holder.headers, "connection": "close"}))
    response = connection.response(has_body=method != "HEAD")
    assert response.status == status
    assert response.headers["content-type"] == "application/json"
    _check_headers(response.headers)
    if method != "HEAD":
        assert response.json()["detail"]
        assert response.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/health", "/health/liveness", "/health/readiness"])
def test_health_is_public_and_may_be_cached(small: Deployment, path: str) -> None:
    answer = httpx2.get(small.gateway.url + path, timeout=30, verify=NO_TLS)
    assert answer.status_code == 200
    assert "cache-control" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/health", "/v1/models", CHAT])
def test_garbage_instead_of_http_harms_nobody(small: Deployment, path: str) -> None:
    with Connection(small.gateway.port) as garbage:
        garbage.send(b"\x16\x03\x01 " + path.encode() + b"\r\n\r\n")
        assert garbage.head()[0] == 400
    assert small.gateway.is_alive()
