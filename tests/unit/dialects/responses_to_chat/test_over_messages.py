"""Responses for a provider of Anthropic's Messages: chat is the hub between the two."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bursar.dialects.passages import passage_to
from bursar.dialects.request import Terms
from bursar.dialects.responses_request import parse_responses
from bursar.dialects.sse import FrameSplitter, data_of
from bursar.dialects.translator import Asked
from tests.fakes.wire_files import wire_bytes, wire_json

MODEL = "anthropic:claude-sonnet-4-5"
TERMS = Terms("claude-sonnet-4-5", output_tokens_max=4_096)


def _sent(operation: str, **fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(_passage(operation, **fields).body(TERMS))
    return body


def _passage(operation: str, **fields: Any) -> Any:
    document = {"model": MODEL, "stream": True, **fields}
    request = parse_responses(msgspec.json.encode(document))
    passage = passage_to(request, (operation,), Asked(MODEL, wants_usage=True, created_s=1))
    assert passage is not None
    return passage


def _streamed(case: str) -> list[dict[str, Any]]:
    passage = _passage("messages", input="hello")
    passage.body(TERMS)
    reader = passage.stream()
    frames = reader.feed(wire_bytes(f"messages/{case}.sse")) + reader.last_words()
    return [msgspec.json.decode(data_of(frame) or b"") for frame in FrameSplitter().feed(frames)]


@pytest.mark.parametrize("operation", ["messages", "converse"])
@pytest.mark.parametrize("case", ["codex-first-turn", "codex-tool-results"])
def test_codexs_requests_are_carried_all_the_way(case: str, operation: str) -> None:
    document = wire_json(f"responses/{case}.json") | {"model": MODEL}
    sent = _sent(operation, **document)
    said = msgspec.json.encode(sent)
    for text in (b"You are Codex", b"Use tabs.", b"Rename foo to bar", b"mcp__docs__search"):
        assert text in said
    if case == "codex-tool-results":
        assert b"*** Update File: main.py" in said
        assert b"iVBORw0KGgo=" in said


def test_claudes_signed_reasoning_comes_back_to_it_as_it_was() -> None:
    given = _streamed("thinking")[-1]["response"]["output"]
    sent = _sent("messages", input=[{"role": "user", "content": "hello"}, *given])
    (block,) = [
        block
        for message in sent["messages"]
        if isinstance(message["content"], list)
        for block in message["content"]
        if block["type"] == "thinking"
    ]
    assert block["thinking"] == "12,231 + 453 = 12,684"
    assert block["signature"].startswith("EqQBCgIYAhIM")


@pytest.mark.parametrize("case", ["text", "thinking", "tools"])
def test_claudes_stream_is_a_responses_stream(case: str) -> None:
    events = _streamed(case)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    last = events[-1]
    assert last["type"] == "response.completed"
    assert last["response"]["usage"]["output_tokens"] > 0
    assert last["response"]["output"][-1]["status"] == "completed"
