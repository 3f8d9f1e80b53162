"""What a caller of chat gets of Bedrock's answer, whole or streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursar.dialects.chat_to_converse import ChatToConverse
from bursar.dialects.converse_wire import CONVERSE
from bursar.dialects.openai_stream import DONE_FRAME
from bursar.dialects.passage_streams import TranslatedStream
from bursar.dialects.sse import data_frames
from bursar.dialects.translator import Asked
from tests.fakes import event_stream
from tests.fakes.chat_reader import read_answer, read_stream
from tests.fakes.streamed_converse import ANSWERS, events_of
from tests.fakes.wire_files import wire_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.dialects.translator import Translator

# A busy machine is no fault of the code.
UNHURRIED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
ASKED = Asked("bedrock:amazon.nova-pro-v1:0", wants_usage=True, created_s=1_790_000_000)
WITHOUT_USAGE = Asked("bedrock:amazon.nova-pro-v1:0", wants_usage=False, created_s=1_790_000_000)
CASES = ["text", "thinking", "tools"]


def _chunks(translator: Translator, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    stream = translator.stream()
    chunks = [chunk for event in events for chunk in stream.event(event)]
    return [*chunks, *stream.end()]


def test_an_answer_repeats_what_was_asked_and_tells_what_was_said_and_used() -> None:
    answer = ChatToConverse(ASKED).answer(wire_json("converse/text.answer.json"))
    assert answer.pop("id").startswith("chatcmpl-")
    assert answer == {
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "bedrock:amazon.nova-pro-v1:0",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Bonjour, ça va ? 🙂", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 14,
            "completion_tokens": 12,
            "total_tokens": 26,
            "prompt_tokens_details": {"cached_tokens": 0},
        },
    }


def test_calls_of_tools_come_with_their_arguments_as_text() -> None:
    answer = ChatToConverse(ASKED).answer(wire_json("converse/tools.answer.json"))
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert [call["function"] for call in choice["message"]["tool_calls"]] == [
        {"name": "get_weather", "arguments": '{"city":"Rome"}'},
        {"name": "get_time", "arguments": "{}"},
    ]
    assert answer["usage"]["prompt_tokens_details"] == {
        "cached_tokens": 0,
        "cache_write_tokens": 1_430,
        "cache_creation_token_details": {
            "ephemeral_5m_input_tokens": 430,
            "ephemeral_1h_input_tokens": 1_000,
        },
    }


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("malformed_model_output", "stop"),
        ("of_tomorrow", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
    ],
)
def test_why_the_answer_ended_is_said_in_openais_words(
    stop_reason: str, finish_reason: str
) -> None:
    whole = {**wire_json("converse/text.answer.json"), "stopReason": stop_reason}
    answer = ChatToConverse(ASKED).answer(whole)
    assert answer["choices"][0]["finish_reason"] == finish_reason


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_stream_put_together_is_the_recorded_answer(case: str) -> None:
    translator = ChatToConverse(ASKED)
    chunks = _chunks(translator, wire_json(f"converse/{case}.events.json"))
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [chunk["usage"] for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    whole = translator.answer(wire_json(f"converse/{case}.answer.json"))
    assert read_stream(chunks) == read_answer(whole)


def test_a_caller_who_did_not_ask_for_usage_sees_none() -> None:
    chunks = _chunks(ChatToConverse(WITHOUT_USAGE), wire_json("converse/tools.events.json"))
    assert not [chunk for chunk in chunks if "usage" in chunk]


@UNHURRIED
@given(ANSWERS, st.integers(1, 9))
def test_a_stream_put_together_by_openais_sdk_is_the_whole_answer(
    answer: dict[str, Any], size: int
) -> None:
    translator = ChatToConverse(ASKED)
    whole = read_answer(translator.answer(answer))
    assert read_stream(_chunks(translator, events_of(answer, size))) == whole


@UNHURRIED
@given(ANSWERS)
def test_what_the_model_said_goes_back_to_it_as_it_was(answer: dict[str, Any]) -> None:
    message = ChatToConverse(ASKED).answer(answer)["choices"][0]["message"]
    said = answer["output"]["message"]["content"]
    question = {"role": "user", "content": "?"}
    tools = [
        {"type": "function", "function": {"name": call["function"]["name"]}}
        for call in message.get("tool_calls", ())
    ]
    sent = ChatToConverse(ASKED).request(
        {"messages": [question, message, question], "tools": tools}
    )
    blocks = [
        block
        for turn in sent["messages"]
        if turn["role"] == "assistant"
        for block in turn["content"]
    ]
    assert [block for block in blocks if "toolUse" in block] == [
        block for block in said if "toolUse" in block
    ]
    assert [block for block in blocks if "reasoningContent" in block] == [
        block for block in said if _is_signed(block.get("reasoningContent", {}))
    ]
    text = "".join(block.get("text", "") for block in said)
    sent_text = "".join(block.get("text", "") for block in blocks)
    assert sent_text == (text if text.strip() else "")


def _is_signed(reasoning: dict[str, Any]) -> bool:
    return "redactedContent" in reasoning or "signature" in reasoning.get("reasoningText", {})


@pytest.mark.parametrize("case", CASES)
def test_a_stream_split_at_any_byte_is_the_same_to_the_caller(case: str) -> None:
    events = wire_json(f"converse/{case}.events.json")
    stream = event_stream.events(events)
    translator = ChatToConverse(ASKED)
    expected = data_frames(_chunks(translator, events)) + DONE_FRAME
    for cut in range(len(stream) + 1):
        reader = TranslatedStream(
            CONVERSE.splitter(),
            CONVERSE.stream_meter(False),  # noqa: FBT003 (a callable has no keywords)
            translator.stream(),
            data_frames,
            DONE_FRAME,
        )
        got = reader.feed(stream[:cut]) + reader.feed(stream[cut:]) + reader.feed(None)
        assert reader.is_done
        assert got + reader.last_words() == expected


def test_events_that_say_nothing_to_a_chat_are_passed_over() -> None:
    assert _chunks(ChatToConverse(WITHOUT_USAGE), [{"something": {"new": 1}}]) == []


@pytest.mark.parametrize("kept", [{}, {"text": ""}])
def test_reasoning_that_is_signed_and_not_told_breaks_no_answer(kept: dict[str, Any]) -> None:
    blocks = [{"reasoningContent": {"reasoningText": {**kept, "signature": "sig"}}}, {"text": "ok"}]
    message = ChatToConverse(ASKED).answer(
        {"output": {"message": {"content": blocks}}, "stopReason": "end_turn"}
    )["choices"][0]["message"]
    assert message["content"] == "ok"
    assert "reasoning_content" not in message
    assert message["thinking_blocks"] == [{"type": "thinking", "thinking": "", "signature": "sig"}]
