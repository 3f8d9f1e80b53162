"""Anthropic's official SDK, unmodified, reads translated answers and streams as its own types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import msgspec
import pytest

from bursar.dialects.messages_request import parse_messages
from bursar.dialects.passages import passage_to
from bursar.dialects.request import Terms
from bursar.dialects.translator import Asked
from tests.fakes.wire_files import wire_bytes

if TYPE_CHECKING:
    from bursar.dialects.passage import Passage

MODEL = "deepseek:deepseek-reasoner"
STREAMS = ["interleaved", "reasoning", "refusal", "text", "tools", "tools-gemini", "uncounted"]


class Gateway:
    """What lies between the SDK and a recorded answer of a provider of chat."""

    def __init__(self, recorded: str) -> None:
        self._recorded = wire_bytes(f"chat/{recorded}")
        self.sent: dict[str, Any] = {}
        transport = httpx2.MockTransport(self._answer)
        self.client = anthropic.Anthropic(
            api_key="k",
            max_retries=0,
            http_client=anthropic.DefaultHttpxClient(transport=transport),
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        parsed = parse_messages(request.content)
        asked = Asked(MODEL, wants_usage=True, created_s=1_790_000_000)
        passage = passage_to(parsed, ("chat",), asked)
        assert passage is not None
        self.sent = msgspec.json.decode(passage.body(Terms("deepseek-reasoner")))
        if not parsed.is_streamed:
            return httpx2.Response(200, content=passage.whole(self._recorded))
        headers = {"content-type": passage.stream_type}
        return httpx2.Response(200, content=self._streamed(passage), headers=headers)

    def _streamed(self, passage: Passage) -> bytes:
        reader = passage.stream()
        cut = [self._recorded[at : at + 7] for at in range(0, len(self._recorded), 7)]
        passed = b"".join([reader.feed(piece) for piece in cut])
        assert reader.is_done
        return passed + reader.last_words()

    def message(self, **fields: Any) -> anthropic.types.Message:
        message: anthropic.types.Message = self.client.messages.create(**_ASKED | fields)
        return message

    def streamed(self, **fields: Any) -> anthropic.types.Message:
        with self.client.messages.stream(**_ASKED | fields) as stream:
            for event in stream:
                assert event.type
            return stream.get_final_message()


_ASKED: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 1_000,
    "messages": [{"role": "user", "content": "x"}],
}


@pytest.mark.parametrize("case", STREAMS)
def test_the_sdk_reads_every_stream_to_its_end(case: str) -> None:
    message = Gateway(f"{case}.sse").streamed()
    assert message.model == MODEL
    assert message.stop_reason is not None
    assert all(block.type in {"text", "thinking", "tool_use"} for block in message.content)


@pytest.mark.parametrize("case", ["reasoning", "text", "tools"])
def test_the_sdk_reads_the_same_message_whole_and_streamed(case: str) -> None:
    whole = Gateway(f"{case}.answer.json").message().to_dict()
    streamed = Gateway(f"{case}.sse").streamed().to_dict()
    for block in streamed["content"]:  # type: ignore[attr-defined]
        block.pop("parsed_output", None)
    assert streamed["content"] == whole["content"]
    assert streamed["stop_reason"] == whole["stop_reason"]
    assert streamed["usage"] == whole["usage"]


def test_a_turn_with_reasoning_and_tools_goes_back_as_the_sdk_gives_it() -> None:
    first = Gateway("tools-gemini.sse").streamed()
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "sunny"}
        for block in first.content
        if block.type == "tool_use"
    ]
    gateway = Gateway("reasoning.sse")
    second = gateway.streamed(
        messages=[
            *_ASKED["messages"],
            {"role": "assistant", "content": first.content},
            {"role": "user", "content": results},
        ]
    )
    _, called, weather, time = gateway.sent["messages"]
    assert called["tool_calls"][0]["extra_content"]["google"]["thought_signature"] == "CiQBVKhc7nM2"
    assert [weather["tool_call_id"], time["tool_call_id"]] == ["function-call-1", "function-call-2"]

    gateway.streamed(
        messages=[
            *_ASKED["messages"],
            {"role": "assistant", "content": second.content},
            *_ASKED["messages"],
        ]
    )
    assert gateway.sent["messages"][1]["reasoning_content"] == "12,231 + 453 = 12,684"


def test_what_the_sdk_sends_reaches_the_provider_in_plain_chat() -> None:
    gateway = Gateway("text.sse")
    gateway.streamed(
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        tools=[{"name": "f", "input_schema": {"type": "object"}}],
        tool_choice={"type": "any"},
        thinking={"type": "enabled", "budget_tokens": 1_024},
        max_tokens=4_000,
    )
    assert gateway.sent == {
        "model": "deepseek-reasoner",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "x"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        ],
        "tool_choice": "required",
        "reasoning_effort": "low",
        "max_tokens": 4_000,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
