"""Aliases over HTTP: asked for, listed, and answered with the reason for what served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from bursar.domain.aliases import Alias, AliasTarget
from functions.proxy.app import create_app
from tests.fakes.scripted_upstream import DONE, delta, stream, usage_chunk
from tests.fakes.several_upstreams import SeveralUpstreams, Step, failing
from tests.fakes.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHAT = {"model": "fast", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50}


@pytest.fixture
async def world() -> World:
    world = World(providers=("groq",))
    await world.price("openai:a")
    await world.price("groq:b")
    targets = (AliasTarget("openai:a"), AliasTarget("groq:b"))
    await world.storage.directory.aliases.put(Alias("fast", targets, world.now, world.now))
    await world.user()
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(world.proxy_services(), ["https://app.example"])
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {await world.key()}"}
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://gateway", headers=headers
    ) as client:
        yield client


async def test_an_answer_says_what_served_and_why(world: World, client: httpx2.AsyncClient) -> None:
    SeveralUpstreams(world, openai=[failing(404)])
    answer = await client.post("/v1/chat/completions", json=CHAT)
    assert answer.status_code == 200
    assert answer.headers["x-bursar-model"] == "groq:b"
    assert answer.headers["x-bursar-route"] == "fallback;after=openai:a;because=upstream_4xx"
    assert answer.headers["x-bursar-attempts"] == "2"


async def test_a_stream_says_so_before_it_begins(world: World, client: httpx2.AsyncClient) -> None:
    SeveralUpstreams(world, openai=[failing(429)], groq=[stream(delta("a"), usage_chunk(), DONE)])
    answer = await client.post("/v1/chat/completions", json=CHAT | {"stream": True})
    assert answer.headers["x-bursar-route"] == "fallback;after=openai:a;because=upstream_429"
    assert answer.text.endswith("data: [DONE]\n\n")


async def test_a_failure_says_what_was_tried(world: World, client: httpx2.AsyncClient) -> None:
    bad: list[Step] = [failing(500) for _ in range(4)]
    SeveralUpstreams(world, openai=bad[:2], groq=bad[2:])
    answer = await client.post("/v1/chat/completions", json=CHAT)
    assert answer.status_code == 502
    assert answer.headers["x-bursar-model"] == "groq:b"
    assert answer.headers["x-bursar-attempts"] == "4"
    route = "fallback;after=openai:a;because=upstream_5xx;because=upstream_5xx"
    assert answer.headers["x-bursar-route"] == route
    assert answer.headers["x-bursar-cost-usd"] == "0"


async def test_a_page_may_read_why(world: World, client: httpx2.AsyncClient) -> None:
    SeveralUpstreams(world)
    origin = {"origin": "https://app.example"}
    answer = await client.post("/v1/chat/completions", json=CHAT, headers=origin)
    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {name for name in answer.headers if name.startswith("x-bursar-")} <= exposed


async def test_aliases_are_listed_among_the_models(client: httpx2.AsyncClient) -> None:
    listed = (await client.get("/v1/models")).json()["data"]
    assert [model["id"] for model in listed] == ["fast", "groq:b", "openai:a"]
    assert (await client.get("/v1/models/fast")).json() == listed[0]
    assert listed[0]["owned_by"] == "bursar"


@pytest.mark.parametrize(
    ("patterns", "listed"),
    [
        (("groq:*",), ["fast", "groq:b"]),
        (("fast",), ["fast"]),
        (("f*",), []),
    ],
)
async def test_only_what_a_key_may_use_is_listed(
    world: World, client: httpx2.AsyncClient, patterns: tuple[str, ...], listed: list[str]
) -> None:
    headers = {"authorization": f"Bearer {await world.key(allowed_models=patterns)}"}
    answer = await client.get("/v1/models", headers=headers)
    assert [model["id"] for model in answer.json()["data"]] == listed
    found = await client.get("/v1/models/fast", headers=headers)
    assert found.status_code == (200 if "fast" in listed else 404)


async def test_a_word_that_is_no_alias_is_a_bad_request_with_the_remedy(
    world: World, client: httpx2.AsyncClient
) -> None:
    upstreams = SeveralUpstreams(world)
    answer = await client.post("/v1/chat/completions", json=CHAT | {"model": "gpt-4o"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "model"
    assert "must name its provider" in answer.json()["detail"]
    assert (await client.get("/v1/models/gpt-4o")).status_code == 404
    assert upstreams.asked == []
