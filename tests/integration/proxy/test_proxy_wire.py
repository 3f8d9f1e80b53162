"""The data plane's HTTP, over its ASGI app with stores in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from functions.proxy.app import create_app
from tests.fakes.scripted_upstream import DONE, ScriptedAnswer, completion, delta, stream
from tests.fakes.world import MASTER_KEY, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_CHAT = {
    "model": "openai:gpt-test",
    "messages": [{"role": "user", "content": "hello"}],
    "max_tokens": 100,
}


@pytest.fixture
def world() -> World:
    world = World()
    world.upstream.answer = completion()
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(world.proxy_services())
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


async def test_a_completion_comes_with_its_id_its_cost_and_the_security_headers(
    world: World, client: httpx2.AsyncClient
) -> None:
    key = await world.someone("1")
    answer = await client.post("/v1/chat/completions", json=_CHAT, headers=_bearer(key))
    assert answer.status_code == 200
    assert answer.json()["id"] == "c1"
    record = await world.record()
    assert answer.headers["x-request-id"] == record.request_id
    assert answer.headers["x-bursar-cost-usd"] == "0.00002"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert answer.headers["cache-control"] == "private, no-store, no-cache"
    assert answer.headers["vary"] == "Authorization"


async def test_a_stream_is_an_event_stream_that_ends_with_done(
    world: World, client: httpx2.AsyncClient
) -> None:
    key = await world.someone("1")
    world.upstream.answer = stream(delta("a"), DONE)
    answer = await client.post(
        "/v1/chat/completions", json=_CHAT | {"stream": True}, headers=_bearer(key)
    )
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.content == delta("a") + DONE


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "Missing X-AnyLLM-Key or Authorization header"),
        ({"authorization": "gw-x"}, "Invalid header format. Expected 'Bearer <token>'"),
        ({"x-anyllm-key": "gw-x", "authorization": "Bearer gw-y"}, "Invalid header format. "),
        ({"x-api-key": "sk-x"}, "Invalid API key format: API key must start with 'gw-' prefix"),
    ],
)
async def test_a_missing_or_malformed_credential_is_401_in_both_shapes(
    client: httpx2.AsyncClient, headers: dict[str, str], message: str
) -> None:
    answer = await client.post("/v1/chat/completions", json=_CHAT, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith(message)
    assert answer.json()["error"]["message"] == answer.json()["detail"]
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("header", ["x-anyllm-key", "anyllm-key", "otari-key", "authorization"])
async def test_every_clients_header_is_understood(
    world: World, client: httpx2.AsyncClient, header: str
) -> None:
    key = await world.someone()
    answer = await client.post(
        "/v1/chat/completions", json=_CHAT, headers={header: f"Bearer {key}"}
    )
    assert answer.status_code == 200


async def test_the_master_key_works_raw_in_x_api_key(
    world: World, client: httpx2.AsyncClient
) -> None:
    await world.someone()
    answer = await client.post(
        "/v1/chat/completions", json=_CHAT | {"user": "alice"}, headers={"x-api-key": MASTER_KEY}
    )
    assert answer.status_code == 200


async def test_a_field_that_does_not_validate_is_422_as_fastapi_shapes_it(
    world: World, client: httpx2.AsyncClient
) -> None:
    key = await world.someone()
    answer = await client.post(
        "/v1/chat/completions", json=_CHAT | {"messages": [{}]}, headers=_bearer(key)
    )
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "messages[0]"]
    assert answer.json()["error"]["param"] == "messages[0]"


async def test_a_body_beyond_the_limit_is_413(world: World, client: httpx2.AsyncClient) -> None:
    key = await world.someone()
    answer = await client.post("/v1/chat/completions", content=b"x" * 10_001, headers=_bearer(key))
    assert answer.status_code == 413
    assert "10000 bytes" in answer.json()["detail"]


async def test_a_providers_refusal_keeps_its_status_and_body(
    world: World, client: httpx2.AsyncClient
) -> None:
    key = await world.someone()
    headers = {
        "content-type": "application/json",
        "retry-after": "3",
        "x-should-retry": "false",
        "set-cookie": "a=b",
    }
    world.upstream.answer = ScriptedAnswer(429, headers, [b'{"error":{"message":"slow"}}'])
    answer = await client.post("/v1/chat/completions", json=_CHAT, headers=_bearer(key))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert answer.headers["x-should-retry"] == "false"
    assert "set-cookie" not in answer.headers
    assert answer.json() == {"error": {"message": "slow"}}


async def test_what_nobody_foresaw_is_a_500_in_json_without_its_text(
    world: World, client: httpx2.AsyncClient
) -> None:
    key = await world.someone("1")
    world.upstream.answer = RuntimeError("canary of the inside")
    answer = await client.post("/v1/chat/completions", json=_CHAT, headers=_bearer(key))
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert answer.json()["error"]["type"] == "server_error"
    assert (await world.balance()).holds == {}


async def test_models_are_those_with_a_price_that_the_key_may_use(
    world: World, client: httpx2.AsyncClient
) -> None:
    await world.price("openai:b")
    await world.price("openai:a")
    await world.price("openrouter:meta/llama")
    await world.user()
    key = await world.key()
    listed = (await client.get("/v1/models", headers=_bearer(key))).json()
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == [
        "openai:a",
        "openai:b",
        "openrouter:meta/llama",
    ]
    narrow = await world.key(allowed_models=("openai:a",))
    listed = (await client.get("/v1/models", headers=_bearer(narrow))).json()
    assert [model["id"] for model in listed["data"]] == ["openai:a"]


async def test_one_model_is_found_by_its_name_slashes_included(
    world: World, client: httpx2.AsyncClient
) -> None:
    await world.price("openrouter:meta/llama")
    await world.user()
    headers = _bearer(await world.key())
    found = await client.get("/v1/models/openrouter:meta/llama", headers=headers)
    assert found.json()["owned_by"] == "openrouter"
    missing = await client.get("/v1/models/openai:none", headers=headers)
    assert missing.status_code == 404
    assert missing.json()["detail"] == "Model 'openai:none' not found"


@pytest.mark.parametrize(("origins", "allowed"), [(["https://app.example"], True), ([], False)])
async def test_a_browsers_preflight_is_answered_where_its_origin_is_allowed(
    world: World, origins: list[str], *, allowed: bool
) -> None:
    app = create_app(world.proxy_services(), origins)
    asked = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://gateway"
    ) as client:
        answer = await client.options("/v1/chat/completions", headers=asked)
    assert answer.status_code == (200 if allowed else 405)
    assert ("access-control-allow-origin" in answer.headers) is allowed


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/chat/completions", 405),
        ("DELETE", "/v1/models", 405),
        ("GET", "/health", 200),
        ("GET", "/health/liveness", 200),
    ],
)
async def test_every_path_answers_in_json_with_an_id(
    client: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.json()
    assert answer.headers["x-request-id"]
    assert ("cache-control" in answer.headers) is not path.startswith("/health")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/messages", 405), ("POST", "/v1/messages/x", 404)]
)
async def test_anthropics_sdk_finds_the_id_of_any_error(
    client: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (status, "error")
    assert answer.headers["request-id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/v1/chat/completions/", "/v1/messages/", "/health/"])
async def test_nobody_is_sent_elsewhere_with_a_key(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.post(path, json=_CHAT, headers={"x-api-key": "gw-x"})
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert answer.json()["detail"] == f"There is no {path} here"


async def test_pages_may_use_the_sdks_of_browsers_and_read_what_those_look_for(
    world: World,
) -> None:
    app = create_app(world.proxy_services(), ["https://app.example"])
    origin = {"origin": "https://app.example"}
    sent = "authorization,content-type,openai-project,x-stainless-lang,x-stainless-retry-count"
    preflight = {
        **origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": sent,
    }
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://gateway"
    ) as client:
        allowed = await client.options("/v1/chat/completions", headers=preflight)
        answer = await client.get("/v1/models", headers=origin)
    assert allowed.status_code == 200
    assert set(sent.split(",")) <= set(
        allowed.headers["access-control-allow-headers"].replace(" ", "").split(",")
    )
    shown = answer.headers["access-control-expose-headers"].split(", ")
    assert {"x-request-id", "request-id", "retry-after", "x-should-retry"} <= set(shown)
    assert len(shown) == len(set(shown))
