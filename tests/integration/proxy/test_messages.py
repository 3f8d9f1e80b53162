"""`/v1/messages` over the ASGI app: as they are, and over a provider that speaks chat only."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import msgspec
import pytest

from bursar.domain.price_rates import Unit
from bursar.domain.upstream import Provider, Target
from bursar.domain.usage import Status, TokenUsage
from bursar.upstream.catalogue import load_catalogue
from functions.proxy.app import create_app
from tests.fakes.scripted_upstream import JSON, ScriptedAnswer, stream
from tests.fakes.wire_files import wire_bytes
from tests.fakes.world import MASTER_KEY, PROVIDER_KEY, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CLAUDE = "anthropic:claude-sonnet-4-5"
CHAT_ONLY = "deepseek:deepseek-reasoner"
PATH = "/v1/messages?beta=true"
TELEMETRY = '{"device_id":"' + "d" * 64 + '","account_uuid":"","session_id":"5f0e"}'


class MessagesWorld(World):
    """Anthropic serves Messages as they are, DeepSeek over chat."""

    def _targets(self) -> dict[str, Target]:
        claude = load_catalogue()["anthropic"]
        deepseek = Provider("deepseek", "https://deepseek.example")
        return {
            each.name: Target(each, str(each.base_url), PROVIDER_KEY) for each in (claude, deepseek)
        }


@pytest.fixture
async def world() -> World:
    world = MessagesWorld()
    for model in (CLAUDE, CHAT_ONLY):
        await world.price(model, context_window_tokens=200_000)
    await world.user(budget_id=await world.budget("1"), budget_started_at=world.now)
    return world


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(world.proxy_services())
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(
        transport=transport,
        base_url="http://gateway",
        headers={"x-api-key": await world.key(), "anthropic-version": "2023-06-01"},
    ) as client:
        yield client


@pytest.fixture
def client(http: httpx2.AsyncClient) -> anthropic.AsyncAnthropic:
    key = http.headers["x-api-key"]
    return anthropic.AsyncAnthropic(
        api_key=key, base_url="http://gateway", http_client=http, max_retries=0
    )


def _body(model: str = CLAUDE, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "hello"}]
    return {"model": model, "max_tokens": 2_000, "messages": messages, **fields}


def _whole(name: str, status: int = 200) -> ScriptedAnswer:
    return ScriptedAnswer(status, headers=JSON, script=[wire_bytes(name)])


def _cut(name: str) -> ScriptedAnswer:
    raw = wire_bytes(name)
    return stream(*(raw[at : at + 97] for at in range(0, len(raw), 97)))


async def test_an_answer_of_the_same_dialect_passes_byte_for_byte_and_is_in_the_books(
    world: World, http: httpx2.AsyncClient
) -> None:
    world.upstream.answer = _whole("messages/tools.answer.json")
    sent = _body(metadata={"user_id": TELEMETRY}, unknown={"kept": 1})
    answer = await http.post(PATH, json=sent, headers={"anthropic-beta": "a-beta"})
    assert answer.content == wire_bytes("messages/tools.answer.json")
    (asked,) = world.upstream.requests
    assert asked.url == "https://api.anthropic.com/v1/messages"
    assert asked.headers["anthropic-beta"] == "a-beta"
    assert asked.headers["anthropic-version"]
    assert world.upstream.sent == {**sent, "model": "claude-sonnet-4-5"}
    record = await world.record()
    assert record.endpoint == "/v1/messages"
    assert record.usage == TokenUsage(1_642, 97, cache_write_tokens=1_430)
    assert record.is_estimated is False


async def test_a_stream_of_the_same_dialect_passes_byte_for_byte(
    world: World, http: httpx2.AsyncClient
) -> None:
    world.upstream.answer = _cut("messages/thinking.sse")
    answer = await http.post(PATH, json=_body(stream=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.content == wire_bytes("messages/thinking.sse")
    record = await world.record()
    assert (record.status, record.is_estimated) == (Status.SUCCESS, False)
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (2_510, 45)


async def test_a_stream_that_breaks_off_is_charged_for_what_came_of_it(
    world: World, http: httpx2.AsyncClient
) -> None:
    begun, *_ = wire_bytes("messages/text.sse").split(b"event: message_delta")
    world.upstream.answer = stream(begun)
    answer = await http.post(PATH, json=_body(stream=True))
    assert answer.content.endswith(b"\n\n")
    assert b"event: error\n" in answer.content
    assert b"message_stop" not in answer.content
    record = await world.record()
    assert record.status == Status.ERROR
    assert record.usage is not None
    assert record.usage.input_tokens == 14
    assert record.usage.output_tokens == len("Bonjour, ça va ? 🙂".encode())


async def test_a_stream_that_breaks_off_in_thought_is_charged_all_that_it_was_allowed(
    world: World, http: httpx2.AsyncClient
) -> None:
    begun, *_ = wire_bytes("messages/thinking.sse").split(b"event: content_block_stop")
    world.upstream.answer = stream(begun)
    await http.post(PATH, json=_body(stream=True))
    record = await world.record()
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (2_510, 2_000)
    assert record.is_estimated


async def test_a_stream_that_breaks_off_after_a_search_is_charged_for_that_and_what_it_read(
    world: World, http: httpx2.AsyncClient
) -> None:
    rates = {Unit.WEB_SEARCH: Decimal(10)}
    await world.price(CLAUDE, "0.1", context_window_tokens=200_000, rates=rates)
    begun, *_ = wire_bytes("messages/web-search.sse").split(b"event: message_delta")
    world.upstream.answer = stream(begun)
    tool = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    answer = await http.post(PATH, json=_body(stream=True, tools=[tool]))
    assert answer.status_code == 200
    record = await world.record()
    assert record.usage is not None
    assert record.usage.web_searches == 1
    assert 2 * 200_000 < record.usage.input_tokens < 2 * 200_000 + 8_000
    assert record.is_estimated


async def test_a_search_may_be_made_as_often_as_the_budget_affords(
    world: World, http: httpx2.AsyncClient
) -> None:
    rates = {Unit.WEB_SEARCH: Decimal(10)}
    await world.price(CLAUDE, context_window_tokens=200_000, rates=rates)
    world.upstream.answer = _whole("messages/text.answer.json")
    tool = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
    answer = await http.post(PATH, json=_body(tools=[tool, {"name": "f", "input_schema": {}}]))
    assert answer.status_code == 200
    sent: Any = world.upstream.sent
    assert sent["tools"] == [tool | {"max_uses": 3}, {"name": "f", "input_schema": {}}]
    assert answer.headers["x-bursar-tool-call-limit"] == "3"


async def test_a_budget_that_is_nearly_spent_lowers_answer_and_thinking_together(
    world: World, http: httpx2.AsyncClient
) -> None:
    await world.user(
        "poor", budget_id=await world.budget("0.02", "small"), budget_started_at=world.now
    )
    key = await world.key("poor")
    world.upstream.answer = _whole("messages/text.answer.json")
    thinking = {"type": "enabled", "budget_tokens": 16_000}
    answer = await http.post(
        PATH, json=_body(max_tokens=32_000, thinking=thinking), headers={"x-api-key": key}
    )
    limit = int(answer.headers["x-bursar-output-limit"])
    sent: Any = world.upstream.sent
    assert sent["max_tokens"] == limit < 32_000
    assert sent["thinking"]["budget_tokens"] == limit // 2


async def test_the_master_key_spends_for_the_user_that_metadata_names(
    world: World, http: httpx2.AsyncClient
) -> None:
    world.upstream.answer = _whole("messages/text.answer.json")
    headers = {"x-api-key": MASTER_KEY}
    refused = await http.post(PATH, json=_body(), headers=headers)
    assert refused.status_code == 400
    assert refused.json()["error"]["type"] == "invalid_request_error"
    assert "metadata.user_id" in refused.json()["error"]["message"]
    answer = await http.post(PATH, json=_body(metadata={"user_id": "alice"}), headers=headers)
    assert answer.status_code == 200
    assert (await world.record()).user_id == "alice"


async def test_anthropics_sdk_streams_from_a_provider_of_chat(
    world: World, client: anthropic.AsyncAnthropic
) -> None:
    world.upstream.answer = _cut("chat/reasoning.sse")
    async with client.messages.stream(
        model=CHAT_ONLY,
        max_tokens=2_000,
        system="Be brief.",
        messages=[{"role": "user", "content": "28 * 453?"}],
    ) as streamed:
        text = "".join([piece async for piece in streamed.text_stream])
        message = await streamed.get_final_message()
    assert text == "12,684"
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.usage.input_tokens + (message.usage.cache_read_input_tokens or 0) == 30
    assert world.upstream.requests[0].url == "https://deepseek.example/chat/completions"
    assert world.upstream.sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "28 * 453?"},
    ]
    record = await world.record()
    assert (record.status, record.is_estimated) == (Status.SUCCESS, False)
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (30, 45)
    assert record.cost_usd == (30 + 2 * 45) * Decimal("0.000001")


async def test_a_stream_over_chat_that_fails_raises_in_anthropics_sdk(
    world: World, client: anthropic.AsyncAnthropic
) -> None:
    begun, *_ = wire_bytes("chat/text.sse").split(b'"finish_reason":"stop"')
    world.upstream.answer = stream(begun.rsplit(b"data: ", 1)[0])
    streamed = await client.messages.create(**_body(CHAT_ONLY), stream=True)
    with pytest.raises(anthropic.APIStatusError, match="streaming"):
        _ = [event async for event in streamed]


async def test_an_error_of_a_provider_of_chat_is_told_in_anthropics_shape(
    world: World, client: anthropic.AsyncAnthropic
) -> None:
    said = b'{"error":{"message":"Slow down.","type":"rate_limit","code":"c","param":null}}'
    world.upstream.answer = ScriptedAnswer(429, script=[said])
    with pytest.raises(anthropic.RateLimitError) as raised:
        await client.messages.create(**_body(CHAT_ONLY))
    assert raised.value.type == "rate_limit_error"
    assert "Slow down." in str(raised.value)


@pytest.mark.parametrize(
    ("fields", "raised", "says"),
    [
        ({"top_k": 5}, anthropic.BadRequestError, "top_k"),
        ({"model": "nobody:x"}, anthropic.NotFoundError, "nobody"),
        ({"messages": []}, anthropic.UnprocessableEntityError, "messages"),
        ({"max_tokens": None}, anthropic.UnprocessableEntityError, "max_tokens"),
        ({"container": "c"}, anthropic.APIStatusError, "container"),
    ],
)
async def test_what_is_refused_raises_in_anthropics_sdk_and_costs_nothing(
    world: World,
    client: anthropic.AsyncAnthropic,
    fields: dict[str, Any],
    raised: type[anthropic.APIStatusError],
    says: str,
) -> None:
    body = {**_body(CHAT_ONLY), **fields}
    with pytest.raises(raised, match=says) as refused:
        await client.post("/v1/messages", body=body, cast_to=object)
    assert msgspec.json.encode(refused.value.body).startswith(b'{"type":"error","error":{')
    assert world.upstream.requests == []
    assert all(balance.committed_usd == 0 for balance in await world.all_balances())
