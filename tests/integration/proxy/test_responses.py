"""`/v1/responses` over the ASGI app: as it is, and over a provider that speaks chat only."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import openai
import pytest
from openai import AsyncOpenAI

from bursar.domain.price_rates import Unit
from bursar.domain.upstream import CHAT_ENDPOINT, Endpoint, Provider, Target
from bursar.domain.usage import Status
from functions.proxy.app import create_app
from tests.fakes.scripted_upstream import JSON, ScriptedAnswer, stream
from tests.fakes.wire_files import wire_bytes, wire_json
from tests.fakes.world import MODEL, PROVIDER_KEY, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from openai.types.responses import ResponseStreamEvent

CHAT_ONLY = "deepseek:deepseek-reasoner"
WINDOW = 100_000


class ResponsesWorld(World):
    """OpenAI serves responses as they are, DeepSeek over chat."""

    def _targets(self) -> dict[str, Target]:
        endpoints = {"chat": CHAT_ENDPOINT, "responses": Endpoint("/responses")}
        providers = (
            Provider("openai", "https://openai.example/v1", endpoints=endpoints),
            Provider("deepseek", "https://deepseek.example"),
        )
        return {
            provider.name: Target(provider, str(provider.base_url), PROVIDER_KEY)
            for provider in providers
        }


@pytest.fixture
async def world() -> World:
    world = ResponsesWorld()
    await world.price(MODEL, context_window_tokens=WINDOW)
    await world.price(CHAT_ONLY, context_window_tokens=WINDOW)
    return world


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(world.proxy_services())
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    await world.user(budget_id=await world.budget("1"), budget_started_at=world.now)
    headers = {"authorization": f"Bearer {await world.key()}"}
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://gateway", headers=headers
    ) as client:
        yield client


@pytest.fixture
def client(http: httpx2.AsyncClient) -> AsyncOpenAI:
    key = http.headers["authorization"].removeprefix("Bearer ")
    return AsyncOpenAI(api_key=key, base_url="http://gateway/v1", http_client=http, max_retries=0)


def _whole(name: str) -> ScriptedAnswer:
    return ScriptedAnswer(headers=JSON, script=[wire_bytes(name)])


async def _post(http: httpx2.AsyncClient, **fields: Any) -> httpx2.Response:
    body = {"model": MODEL, "input": "hello", "max_output_tokens": 100, **fields}
    return await http.post("/v1/responses", json=body)


async def _note_types(events: AsyncIterator[ResponseStreamEvent], seen: list[str]) -> None:
    async for event in events:
        seen.append(event.type)  # noqa: PERF401 (what was seen counts when the stream breaks off)


async def test_an_answer_of_the_same_dialect_passes_byte_for_byte_and_is_in_the_books(
    world: World, http: httpx2.AsyncClient
) -> None:
    world.upstream.answer = _whole("responses/tools.answer.json")
    answer = await _post(http, metadata={"a": "b"}, unknown={"kept": 1})
    assert answer.content == wire_bytes("responses/tools.answer.json")
    assert world.upstream.requests[0].url == "https://openai.example/v1/responses"
    assert world.upstream.sent == {
        "model": "gpt-test",
        "input": "hello",
        "max_output_tokens": 100,
        "metadata": {"a": "b"},
        "unknown": {"kept": 1},
    }
    record = await world.record()
    assert record.endpoint == "/v1/responses"
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (91, 148)
    assert record.cost_usd == (91 + 2 * 148) * Decimal("0.000001")


async def test_a_stream_of_the_same_dialect_passes_byte_for_byte(
    world: World, http: httpx2.AsyncClient
) -> None:
    raw = wire_bytes("responses/tools.sse")
    world.upstream.answer = stream(*(raw[at : at + 97] for at in range(0, len(raw), 97)))
    answer = await _post(http, stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.content == raw
    record = await world.record()
    assert (record.status, record.is_estimated) == (Status.SUCCESS, False)


async def test_openais_sdk_talks_to_a_provider_of_chat(world: World, client: AsyncOpenAI) -> None:
    world.upstream.answer = _whole("responses/over-chat/text.answer.json")
    response = await client.responses.create(model=CHAT_ONLY, input="hello", instructions="Brief.")
    assert response.output_text == "Grüezi mitenand!"
    assert world.upstream.requests[0].url == "https://deepseek.example/chat/completions"
    assert world.upstream.sent["messages"] == [
        {"role": "system", "content": "Brief."},
        {"role": "user", "content": "hello"},
    ]
    record = await world.record()
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (14, 4)


async def test_codexs_stream_over_chat_is_metered_by_what_the_provider_said(
    world: World, http: httpx2.AsyncClient
) -> None:
    world.upstream.answer = stream(wire_bytes("responses/over-chat/tools.sse"))
    answer = await http.post("/v1/responses", json=wire_json("responses/codex-first-turn.json"))
    assert answer.status_code == 200
    frames = answer.text.split("\n\n")
    assert frames[0].startswith("event: response.created\n")
    assert frames[-2].startswith("event: response.completed\n")
    assert frames[-1] == ""
    assert world.upstream.sent["stream_options"] == {"include_usage": True}
    record = await world.record()
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.cached_input_tokens) == (412, 384)
    assert record.status is Status.SUCCESS


async def test_what_the_provider_cannot_be_asked_is_refused_and_costs_nothing(
    world: World, client: AsyncOpenAI
) -> None:
    with pytest.raises(openai.BadRequestError, match="whole conversation") as raised:
        await client.responses.create(
            model=CHAT_ONLY, input="hello", previous_response_id="resp_1", max_output_tokens=10
        )
    assert raised.value.param == "previous_response_id"
    assert world.upstream.requests == []
    balance = await world.balance()
    assert balance.committed_usd == balance.held_usd == Decimal(0)


async def test_a_background_response_is_refused_with_what_to_do(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="leave 'background' out"):
        await client.responses.create(model=MODEL, input="hello", background=True)


@pytest.mark.parametrize(("budget_usd", "calls"), [("10", 4), ("0.3", 2)])
async def test_a_search_without_a_limit_of_calls_is_given_as_many_as_the_budget_affords(
    world: World, http: httpx2.AsyncClient, budget_usd: str, calls: int
) -> None:
    await world.price(MODEL, context_window_tokens=WINDOW, rates={Unit.WEB_SEARCH: Decimal(10)})
    await world.user(budget_id=await world.budget(budget_usd), budget_started_at=world.now)
    world.upstream.answer = _whole("responses/web-search.answer.json")
    answer = await _post(http, tools=[{"type": "web_search"}], max_output_tokens=100)
    assert answer.status_code == 200
    assert world.upstream.sent["max_tool_calls"] == calls
    assert answer.headers["x-bursar-tool-call-limit"] == str(calls)


@pytest.mark.parametrize("asked", [50, 1_000_000_000])
async def test_a_limit_of_calls_that_the_budget_does_not_cover_is_lowered(
    world: World, http: httpx2.AsyncClient, asked: int
) -> None:
    await world.price(MODEL, context_window_tokens=WINDOW, rates={Unit.WEB_SEARCH: Decimal(10)})
    world.upstream.answer = _whole("responses/web-search.answer.json")
    await _post(http, tools=[{"type": "web_search"}], max_tool_calls=asked)
    assert world.upstream.sent["max_tool_calls"] == 9


async def test_a_search_that_the_budget_does_not_cover_is_refused_with_what_to_do(
    world: World, http: httpx2.AsyncClient
) -> None:
    await world.price(MODEL, context_window_tokens=WINDOW, rates={Unit.WEB_SEARCH: Decimal(10)})
    await world.user(budget_id=await world.budget("0.1"), budget_started_at=world.now)
    answer = await _post(http, tools=[{"type": "web_search"}], max_output_tokens=100)
    assert "leave out the tools that the provider runs" in answer.text
    assert world.upstream.requests == []


async def test_the_answer_is_shortened_to_what_the_budget_affords(
    world: World, http: httpx2.AsyncClient
) -> None:
    world.upstream.answer = _whole("responses/text.answer.json")
    answer = await _post(http, max_output_tokens=10_000_000)
    assert answer.status_code == 200
    imposed = world.upstream.sent["max_output_tokens"]
    assert isinstance(imposed, int)
    assert imposed < 500_000


async def test_a_stream_that_breaks_off_ends_as_a_responses_stream_does(
    world: World, client: AsyncOpenAI
) -> None:
    raw = wire_bytes("responses/text.sse")
    world.upstream.answer = stream(raw[: raw.rindex(b"event: ")])
    events = await client.responses.create(model=MODEL, input="hello", stream=True)
    seen: list[str] = []
    with pytest.raises(openai.APIError, match="An error occurred during streaming"):
        await _note_types(events, seen)
    assert seen[-1] == "response.output_item.done"
    record = await world.record()
    assert (record.status, record.is_estimated) == (Status.ERROR, True)
    assert record.usage is not None
    assert record.usage.output_tokens > 0


async def test_a_stream_that_breaks_off_is_charged_for_the_searches_that_had_begun(
    world: World, http: httpx2.AsyncClient
) -> None:
    await world.price(MODEL, context_window_tokens=WINDOW, rates={Unit.WEB_SEARCH: Decimal(10)})
    raw = wire_bytes("responses/web-search.sse")
    first = raw.index(b"event: response.output_item.done")
    world.upstream.answer = stream(raw[:first])
    await _post(http, stream=True, tools=[{"type": "web_search"}])
    record = await world.record()
    assert record.usage is not None
    assert record.usage.web_searches == 1
    assert WINDOW < record.usage.input_tokens < WINDOW + 2_000


async def test_a_response_that_failed_is_charged_for_what_it_used(
    world: World, http: httpx2.AsyncClient
) -> None:
    world.upstream.answer = stream(wire_bytes("responses/failed.sse"))
    answer = await _post(http, stream=True)
    last = answer.content.split(b"\n\n")[-2]
    assert last.startswith(b"event: response.failed\n")
    assert msgspec.json.decode(last.partition(b"data: ")[2])["response"]["status"] == "failed"
    record = await world.record()
    assert record.status is Status.ERROR
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (11, 3)
