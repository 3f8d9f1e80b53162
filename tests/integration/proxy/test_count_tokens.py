"""`/v1/messages/count_tokens`: the provider's count where it counts, an estimate elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from bursar.domain.errors import UpstreamUnreachable
from bursar.upstream.catalogue import load_catalogue
from functions.proxy.app import create_app
from tests.fakes.scripted_upstream import ScriptedAnswer
from tests.fakes.world import MODEL, PROVIDER_KEY, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CLAUDE = "anthropic:claude-sonnet-4-5"
PATH = "/v1/messages/count_tokens?beta=true"


@pytest.fixture
def world() -> World:
    world = World()
    targets: Any = world.targets._by_provider
    anthropic = load_catalogue()["anthropic"]
    targets["anthropic"] = type(targets["openai"])(anthropic, anthropic.base_url, PROVIDER_KEY)
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=create_app(world.proxy_services()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


def _asking(model: str, **fields: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Grüezi mitenand"}]} | fields


async def test_a_provider_that_counts_is_asked_and_nothing_is_reserved_or_written_down(
    world: World, client: httpx2.AsyncClient
) -> None:
    key = await world.someone("0")
    world.upstream.answer = ScriptedAnswer(script=[b'{"input_tokens":', b"14}"])
    sent = {"x-api-key": key, "anthropic-version": "2023-06-01", "anthropic-beta": "a-beta"}
    answer = await client.post(PATH, json=_asking(CLAUDE, unknown=[1]), headers=sent)
    assert (answer.status_code, answer.json()) == (200, {"input_tokens": 14})
    assert "x-bursar-token-count" not in answer.headers
    (asked,) = world.upstream.requests
    assert asked.url == "https://api.anthropic.com/v1/messages/count_tokens"
    assert asked.headers["x-api-key"] == PROVIDER_KEY
    assert asked.headers["anthropic-beta"] == "a-beta"
    assert world.upstream.sent == _asking("claude-sonnet-4-5", unknown=[1])
    assert await world.records() == []
    assert await world.all_balances() == []


async def test_a_header_that_comes_in_lines_goes_on_as_one_list(
    world: World, client: httpx2.AsyncClient
) -> None:
    world.upstream.answer = ScriptedAnswer(script=[b'{"input_tokens":14}'])
    betas = [("anthropic-beta", "one"), ("anthropic-beta", "two,three")]
    sent = [("x-api-key", await world.someone()), *betas]
    answer = await client.post(PATH, json=_asking(CLAUDE), headers=sent)
    assert answer.status_code == 200
    assert world.upstream.requests[0].headers["anthropic-beta"] == "one, two,three"


async def test_of_two_keys_neither_is_taken(world: World, client: httpx2.AsyncClient) -> None:
    sent = [("x-api-key", await world.someone()), ("x-api-key", await world.key())]
    answer = await client.post(PATH, json=_asking(CLAUDE), headers=sent)
    assert answer.status_code == 401


async def test_elsewhere_the_count_is_an_estimate_and_says_so(
    world: World, client: httpx2.AsyncClient
) -> None:
    answer = await client.post(
        PATH, json=_asking(MODEL), headers={"x-api-key": await world.someone()}
    )
    assert answer.status_code == 200
    assert 5 < answer.json()["input_tokens"] < 40
    assert answer.headers["x-bursar-token-count"] == "estimated"
    assert world.upstream.requests == []


@pytest.mark.parametrize(
    "failing",
    [
        ScriptedAnswer(status=404),
        ScriptedAnswer(status=429, headers={"retry-after": "9"}),
        ScriptedAnswer(status=529),
        UpstreamUnreachable("nobody there"),
    ],
    ids=["404", "429", "529", "unreachable"],
)
async def test_a_provider_that_does_not_count_now_is_stood_in_for(
    world: World, client: httpx2.AsyncClient, failing: Any
) -> None:
    world.upstream.answer = failing
    key = await world.someone()
    answer = await client.post(PATH, json=_asking(CLAUDE), headers={"x-api-key": key})
    assert answer.headers["x-bursar-token-count"] == "estimated"


async def test_what_the_provider_finds_wrong_with_the_request_is_told(
    world: World, client: httpx2.AsyncClient
) -> None:
    said = b'{"type":"error","error":{"type":"invalid_request_error","message":"no"}}'
    world.upstream.answer = ScriptedAnswer(status=400, script=[said])
    key = await world.someone()
    answer = await client.post(PATH, json=_asking(CLAUDE), headers={"x-api-key": key})
    assert (answer.status_code, answer.content) == (400, said)


async def test_a_provider_that_quotes_its_key_is_not_quoted(
    world: World, client: httpx2.AsyncClient
) -> None:
    said = f'{{"error":{{"message":"The key {PROVIDER_KEY} is not valid"}}}}'.encode()
    world.upstream.answer = ScriptedAnswer(status=400, script=[said])
    key = await world.someone()
    answer = await client.post(PATH, json=_asking(CLAUDE), headers={"x-api-key": key})
    assert (answer.status_code, answer.json()["type"]) == (400, "error")
    assert "your own key is fine" in answer.json()["error"]["message"]
    assert PROVIDER_KEY[:8] not in answer.text


async def test_what_is_left_of_a_limit_is_told(world: World, client: httpx2.AsyncClient) -> None:
    await world.user()
    key = await world.key(rate_limit_rpm=2)
    answers = [
        await client.post(PATH, json=_asking(MODEL), headers={"x-api-key": key}) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers[:2]] == ["1", "0"]
    assert int(answers[2].headers["retry-after"]) > 0
    assert answers[2].json()["error"]["type"] == "rate_limit_error"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (_asking("anthropic:claude", messages=[]), 422),
        (_asking("nobody:claude"), 404),
        ({"model": CLAUDE}, 422),
    ],
)
async def test_bad_requests_are_refused_in_anthropics_shape(
    world: World, client: httpx2.AsyncClient, body: dict[str, Any], status: int
) -> None:
    key = await world.someone()
    answer = await client.post(PATH, json=body, headers={"x-api-key": key})
    assert (answer.status_code, answer.json()["type"]) == (status, "error")


async def test_a_stranger_learns_nothing(client: httpx2.AsyncClient) -> None:
    answer = await client.post(PATH, json=_asking(CLAUDE), headers={"x-api-key": "gw-" + "x" * 64})
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")


async def test_a_model_that_the_key_may_not_use_is_not_counted_for_it(
    world: World, client: httpx2.AsyncClient
) -> None:
    await world.user()
    key = await world.key(allowed_models=("openai:*",))
    answer = await client.post(PATH, json=_asking(CLAUDE), headers={"x-api-key": key})
    assert answer.status_code == 403
