"""Chats over the ASGI app to a model that only Bedrock's Converse serves, with OpenAI's SDK."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec
import openai
import pytest

from bursar.domain.upstream import Target
from bursar.domain.usage import Status, TokenUsage
from bursar.upstream.catalogue import load_catalogue
from functions.proxy.app import create_app
from tests.fakes import event_stream
from tests.fakes.scripted_upstream import JSON, ScriptedAnswer
from tests.fakes.wire_files import wire_bytes, wire_json
from tests.fakes.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from openai.types.chat import ChatCompletionChunk

NOVA = "bedrock:amazon.nova-pro-v1:0"
BASE_URL = "https://bedrock-runtime.eu-west-1.amazonaws.com"
ORIGIN = f"{BASE_URL}/model/amazon.nova-pro-v1%3A0"
EVENT_STREAM = {"content-type": "application/vnd.amazon.eventstream"}


class BedrockWorld(World):
    def _targets(self) -> dict[str, Target]:
        bedrock = load_catalogue()["bedrock"]
        return {"bedrock": Target(bedrock, BASE_URL, parameters={"region": "eu-west-1"})}


@pytest.fixture
async def world() -> World:
    world = BedrockWorld()
    await world.price(NOVA, context_window_tokens=200_000, max_output_tokens=5_000)
    await world.user(budget_id=await world.budget("1"), budget_started_at=world.now)
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[openai.AsyncOpenAI]:
    app = create_app(world.proxy_services())
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport) as http:
        yield openai.AsyncOpenAI(
            api_key=await world.key(),
            base_url="http://gateway/v1",
            http_client=http,
            max_retries=0,
        )


def _asked(**fields: Any) -> dict[str, Any]:
    return {"model": NOVA, "messages": [{"role": "user", "content": "hello"}], **fields}


def _cut(frames: bytes, size: int = 61) -> ScriptedAnswer:
    pieces = [frames[at : at + size] for at in range(0, len(frames), size)]
    return ScriptedAnswer(headers=EVENT_STREAM, script=pieces)


async def test_a_whole_answer_is_a_completion_and_is_charged(
    world: World, client: openai.AsyncOpenAI
) -> None:
    answer = wire_bytes("converse/tools.answer.json")
    world.upstream.answer = ScriptedAnswer(headers=JSON, script=[answer])
    completion = await client.chat.completions.create(**_asked(max_tokens=500))
    calls = completion.choices[0].message.tool_calls or []
    assert [call.function.name for call in calls if call.type == "function"] == [
        "get_weather",
        "get_time",
    ]
    assert (completion.model, completion.choices[0].finish_reason) == (NOVA, "tool_calls")
    (asked,) = world.upstream.requests
    assert asked.url == f"{ORIGIN}/converse"
    assert world.upstream.sent == {
        "messages": [{"role": "user", "content": [{"text": "hello"}]}],
        "inferenceConfig": {"maxTokens": 500},
    }
    record = await world.record()
    assert record.usage == TokenUsage(
        1_642, 97, cache_write_tokens=1_430, cache_write_1h_tokens=1_000
    )
    assert record.is_estimated is False


@pytest.mark.parametrize("wants_usage", [True, False])
async def test_a_stream_is_one_of_chunks_and_is_charged_whether_usage_is_wanted_or_not(
    world: World, client: openai.AsyncOpenAI, *, wants_usage: bool
) -> None:
    world.upstream.answer = _cut(wire_bytes("converse/thinking.eventstream"))
    chunks = [
        chunk
        async for chunk in await client.chat.completions.create(
            **_asked(stream=True, stream_options={"include_usage": wants_usage})
        )
    ]
    told = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert "".join(text or "" for text in told) == "12,684"
    assert [chunk.usage is not None for chunk in chunks][-1] is wants_usage
    assert world.upstream.requests[0].url == f"{ORIGIN}/converse-stream"
    record = await world.record()
    assert (record.status, record.is_estimated) == (Status.SUCCESS, False)
    assert record.usage == TokenUsage(2_010, 45, cached_input_tokens=2_000)
    assert record.cost_usd is not None
    assert record.cost_usd > 45 * Decimal("0.000001")


async def test_a_limit_that_the_budget_imposes_is_bedrocks_own(
    world: World, client: openai.AsyncOpenAI
) -> None:
    await world.user("poor", budget_id=await world.budget("0.002", "small"))
    poor = client.with_options(api_key=await world.key("poor"))
    world.upstream.answer = ScriptedAnswer(script=[wire_bytes("converse/text.answer.json")])
    answer = await poor.chat.completions.with_raw_response.create(**_asked())
    limit = int(answer.headers["x-bursar-output-limit"])
    sent: Any = world.upstream.sent
    assert sent["inferenceConfig"]["maxTokens"] == limit < 5_000


async def test_what_bedrock_cannot_do_is_refused_before_anything_is_sent_or_charged(
    world: World, client: openai.AsyncOpenAI
) -> None:
    with pytest.raises(openai.BadRequestError, match="'seed'") as caught:
        await client.chat.completions.create(**_asked(seed=1))
    assert (caught.value.param, caught.value.code) == ("seed", "untranslatable")
    assert world.upstream.requests == []
    assert (await world.balance()).committed_usd == 0


async def test_an_error_of_bedrocks_is_told_in_openais_shape(
    world: World, client: openai.AsyncOpenAI
) -> None:
    body = b'{"message":"The provided model identifier is invalid."}'
    world.upstream.answer = ScriptedAnswer(400, headers=JSON, script=[body])
    with pytest.raises(openai.BadRequestError, match="model identifier is invalid"):
        await client.chat.completions.create(**_asked())
    assert (await world.balance()).committed_usd == 0


async def _read(streamed: AsyncIterator[ChatCompletionChunk], got: list[str]) -> None:
    """Read a stream's text up to where it raises."""
    async for chunk in streamed:
        got.append(chunk.choices[0].delta.content or "")  # noqa: PERF401 (what came is to be kept)


def _broken() -> bytes:
    frames = bytearray(wire_bytes("converse/text.eventstream"))
    frames[-1] ^= 1
    return bytes(frames)


def _failing() -> bytes:
    begun = event_stream.events(wire_json("converse/text.events.json")[:3])
    return begun + event_stream.exception("throttlingException", "Too many tokens, canary")


def _cut_off() -> bytes:
    return event_stream.events(wire_json("converse/text.events.json")[:3])


@pytest.mark.parametrize(
    "frames", [_broken(), _failing(), _cut_off()], ids=["broken", "failing", "cut"]
)
async def test_a_stream_that_fails_raises_in_the_sdk_and_is_charged_for_what_came(
    world: World, client: openai.AsyncOpenAI, frames: bytes
) -> None:
    world.upstream.answer = _cut(frames)
    streamed = await client.chat.completions.create(**_asked(stream=True))
    got: list[str] = []
    with pytest.raises(openai.APIError) as caught:
        await _read(streamed, got)
    assert "canary" not in str(caught.value)
    assert "".join(got) == "Bonjour, ça va ? 🙂"
    record = await world.record()
    assert record.status == Status.ERROR
    assert record.usage is not None
    assert record.usage.output_tokens >= len("Bonjour, ça va ? 🙂".encode())


async def test_a_document_reaches_bedrock_as_bytes(
    world: World, client: openai.AsyncOpenAI
) -> None:
    world.upstream.answer = ScriptedAnswer(script=[wire_bytes("converse/text.answer.json")])
    file = {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}
    content = [{"type": "file", "file": file}, {"type": "text", "text": "?"}]
    await client.chat.completions.create(**_asked(messages=[{"role": "user", "content": content}]))
    sent: Any = msgspec.json.decode(world.upstream.requests[0].body)
    assert sent["messages"][0]["content"][0]["document"] == {
        "format": "pdf",
        "name": "a pdf",
        "source": {"bytes": "JVBERi0="},
    }
