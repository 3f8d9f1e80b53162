"""Bodies that no client of good will sends: each is refused in JSON, none is our own failure."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from functions.proxy.app import create_app
from tests.fakes.scripted_upstream import completion
from tests.fakes.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MODEL = {"model": "openai:gpt-test"}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9},
    "/v1/messages/count_tokens": {"messages": [{"role": "user", "content": "hi"}]},
    "/v1/embeddings": {"input": "hi"},
    "/v1/images/generations": {"prompt": "a fox"},
    "/v1/images/edits": {"prompt": "a fox", "image": "https://images.example/a.png"},
    "/v1/audio/speech": {"input": "hi", "voice": "alloy"},
    "/v1/moderations": {"input": "hi"},
    "/v1/rerank": {"query": "q", "documents": ["a"]},
}
NOT_UTF8 = b'"\xff"'
DEEP = b"[" * 100_000 + b"]" * 100_000
HALF_A_PAIR = b'"\\ud83d and more"'
ENDLESS = b"1e400"


@pytest.fixture
def world() -> World:
    world = World()
    world.upstream.answer = completion()
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(world.proxy_services(request_bytes_max=1_000_000))
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {await world.someone()}"}
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://gateway", headers=headers
    ) as client:
        yield client


def _with(body: dict[str, Any], field: str, value: bytes) -> bytes:
    """A body with one field written as no encoder writes it."""
    others = json.dumps({name: it for name, it in body.items() if name != field})[:-1].encode()
    comma = b", " if len(others) > 1 else b""
    return others + comma + json.dumps(field).encode() + b": " + value + b"}"


@pytest.mark.parametrize("value", [NOT_UTF8, DEEP, HALF_A_PAIR, ENDLESS, b"NaN", b"-Infinity"])
@pytest.mark.parametrize("path", BODIES)
async def test_a_field_that_cannot_be_read_is_the_callers_fault(
    world: World, client: httpx2.AsyncClient, path: str, value: bytes
) -> None:
    body = MODEL | BODIES[path]
    for field in body:
        answer = await client.post(path, content=_with(body, field, value))
        assert answer.status_code in {400, 422}, (field, answer.text)
        assert answer.json()["error"]["type"] == "invalid_request_error"
    assert world.upstream.requests == []


async def test_text_that_is_not_utf8_is_called_that(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/v1/embeddings", content=_with(MODEL, "input", NOT_UTF8))
    assert answer.json()["error"]["message"] == "The request body is not UTF-8"


@pytest.mark.parametrize("path", [*BODIES, "/v1/audio/transcriptions"])
async def test_a_compressed_body_is_refused_for_being_one(
    client: httpx2.AsyncClient, path: str
) -> None:
    packed = gzip.compress(json.dumps(MODEL).encode())
    answer = await client.post(path, content=packed, headers={"content-encoding": "gzip"})
    assert answer.status_code == 400
    assert "'gzip'" in answer.json()["error"]["message"]


async def test_an_encoding_that_changes_nothing_is_taken(client: httpx2.AsyncClient) -> None:
    body = MODEL | BODIES["/v1/chat/completions"] | {"max_tokens": 9}
    answer = await client.post(
        "/v1/chat/completions", json=body, headers={"content-encoding": "identity"}
    )
    assert answer.status_code == 200
