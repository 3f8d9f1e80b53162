"""Chat as the hub: nothing is lost on the way through it that both ends have a word for."""

from __future__ import annotations

from typing import Any

import botocore.session
import msgspec
import pytest
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursar.dialects.chat_to_messages import ChatToMessages
from bursar.dialects.messages_request import parse_messages
from bursar.dialects.messages_stream import MessagesStreamMeter
from bursar.dialects.messages_to_chat import MessagesToChat
from bursar.dialects.passages import passage_to
from bursar.dialects.request import Terms
from bursar.dialects.sse import FrameSplitter, data_of
from bursar.dialects.translator import Asked
from tests.fakes import event_stream, streamed_converse, streamed_messages
from tests.fakes.wire_files import wire_bytes, wire_json

# A busy machine is no fault of the code.
UNHURRIED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
ASKED = Asked("anthropic:claude", wants_usage=True, created_s=1_790_000_000)
TERMS = Terms("amazon.nova-pro-v1:0", output_tokens=1_000, output_tokens_max=1_000)
REQUESTS = ["text", "tools", "thinking"]


@pytest.mark.parametrize("case", REQUESTS)
def test_a_messages_request_comes_back_from_chat_as_it_went(case: str) -> None:
    request = wire_json(f"messages/{case}.request.json")
    chat = MessagesToChat(ASKED).request(request)
    again = ChatToMessages(ASKED).request(chat)
    for name in ("system", "tools", "tool_choice", "max_tokens", "stop_sequences", "metadata"):
        assert _blocks(again.get(name)) == _blocks(request.get(name))
    turns, expected = _merged(again["messages"]), _merged(request["messages"])
    assert turns == expected


def _blocks(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _merged(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Turns as Anthropic sees them: neighbours of one role are one."""
    merged: list[dict[str, Any]] = []
    for turn in turns:
        content = [
            {**block, "content": _blocks(block["content"])} if "content" in block else block
            for block in _blocks(turn["content"])
        ]
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1]["content"] += content
        else:
            merged.append({"role": turn["role"], "content": content})
    return merged


@UNHURRIED
@given(streamed_messages.ANSWERS)
def test_a_messages_answer_comes_back_from_chat_as_it_went(answer: dict[str, Any]) -> None:
    again = MessagesToChat(ASKED).answer(ChatToMessages(ASKED).answer(answer))
    assert again["id"] == answer["id"]
    assert again["content"][: len(_said(answer))] == _said(answer)
    assert again["usage"]["output_tokens"] == answer["usage"]["output_tokens"]
    assert again["usage"]["input_tokens"] == answer["usage"]["input_tokens"]


@UNHURRIED
@given(streamed_messages.ANSWERS, st.integers(1, 9))
def test_a_messages_stream_comes_back_from_chat_with_all_that_was_said(
    answer: dict[str, Any], size: int
) -> None:
    # Anthropic signs all that it streams of its reasoning.
    said = [block for block in answer["content"] if block.get("signature") != ""]
    answer = {**answer, "content": said}
    inner, outer = ChatToMessages(ASKED).stream(), MessagesToChat(ASKED).stream()
    events = [
        event
        for given_event in streamed_messages.events_of(answer, size)
        for chunk in inner.event(given_event)
        for event in outer.event(chunk)
    ]
    events += [event for chunk in inner.end() for event in outer.event(chunk)]
    events += outer.end()
    again = _put_together(events)
    for kind in ("tool_use", "redacted_thinking"):
        kept = [block for block in again["content"] if block["type"] == kind]
        assert kept == [block for block in answer["content"] if block["type"] == kind]
    signed = [block for block in again["content"] if _is_signed(block)]
    assert signed == [block for block in answer["content"] if _is_signed(block)]
    assert again["usage"]["output_tokens"] == answer["usage"]["output_tokens"]


def _is_signed(block: dict[str, Any]) -> bool:
    return block["type"] == "thinking" and block["signature"] not in {"", "reasoning_content"}


def _said(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Reasoning first, then one text; unsigned reasoning next to signed is for people only."""
    blocks = answer["content"]
    signed = [
        block for block in blocks if _is_signed(block) or block["type"] == "redacted_thinking"
    ]
    unsigned = "".join(block["thinking"] for block in blocks if block["type"] == "thinking")
    thought = signed
    if not signed and unsigned:
        told = {"type": "thinking", "thinking": unsigned, "signature": "reasoning_content"}
        thought = [told]
    text = "".join(block["text"] for block in blocks if block["type"] == "text")
    return [*thought, *([{"type": "text", "text": text}] if text else [])]


def _put_together(events: list[dict[str, Any]]) -> dict[str, Any]:
    """The message of a stream."""
    message: dict[str, Any] = {}
    for event in events:
        if event["type"] == "message_start":
            message = dict(event["message"])
        elif event["type"] == "content_block_start":
            message["content"] = [*message["content"], dict(event["content_block"])]
        elif event["type"] == "content_block_delta":
            block, delta = message["content"][event["index"]], event["delta"]
            for name in delta.keys() - {"type"}:
                block[name] = block.get(name, "") + delta[name]
        elif event["type"] == "message_delta":
            message |= {**event["delta"], "usage": event["usage"]}
    for block in message["content"]:
        if "partial_json" in block:
            block["input"] = msgspec.json.decode(block.pop("partial_json"))
    return message


def _to_converse(case: str) -> Any:
    body = msgspec.json.decode(wire_bytes(f"messages/{case}.request.json"))
    raw = msgspec.json.encode({**body, "model": "bedrock:amazon.nova-pro-v1:0"})
    passage = passage_to(parse_messages(raw), ("converse",), ASKED)
    assert passage is not None
    return passage


def test_a_messages_request_reaches_bedrock_with_its_marks() -> None:
    sent = msgspec.json.decode(_to_converse("tools").body(TERMS))
    shape = botocore.session.get_session().get_service_model("bedrock-runtime")
    report = ParamValidator().validate(
        {"modelId": TERMS.model, **sent}, shape.operation_model("Converse").input_shape
    )
    assert not report.has_errors(), report.generate_report()
    assert sent["system"][1] == {"cachePoint": {"type": "default"}}
    assert sent["inferenceConfig"]["maxTokens"] == 1_000
    results = [
        block["toolResult"]
        for turn in sent["messages"]
        for block in turn["content"]
        if "toolResult" in block
    ]
    assert [result.get("status") for result in results] == [None, "error"]


@pytest.mark.parametrize("case", ["text", "tools", "thinking"])
def test_bedrocks_stream_reaches_a_caller_of_messages_whole(case: str) -> None:
    stream = event_stream.events(wire_json(f"converse/{case}.events.json"))
    reader = _to_converse("text").stream()
    frames = b"".join(reader.feed(stream[at : at + 7]) for at in range(0, len(stream), 7))
    assert reader.is_done
    frames += reader.last_words()
    meter = MessagesStreamMeter()
    for frame in FrameSplitter().feed(frames):
        meter.take(frame)
    assert meter.is_done
    assert meter.usage is not None
    assert meter.usage.input_tokens == reader.usage.input_tokens
    assert meter.usage.output_tokens == reader.usage.output_tokens
    decoded = [msgspec.json.decode(data_of(frame) or b"") for frame in FrameSplitter().feed(frames)]
    told = _put_together(decoded)
    answer = wire_bytes(f"converse/{case}.answer.json")
    whole = msgspec.json.decode(_to_converse("text").whole(answer))
    assert (told["content"], told["stop_reason"]) == (whole["content"], whole["stop_reason"])


@UNHURRIED
@given(streamed_converse.ANSWERS)
def test_whatever_bedrock_says_can_be_told_to_a_caller_of_messages(answer: dict[str, Any]) -> None:
    told = msgspec.json.decode(_to_converse("text").whole(msgspec.json.encode(answer)))
    calls = [block["id"] for block in told["content"] if block["type"] == "tool_use"]
    said = answer["output"]["message"]["content"]
    assert calls == [block["toolUse"]["toolUseId"] for block in said if "toolUse" in block]
