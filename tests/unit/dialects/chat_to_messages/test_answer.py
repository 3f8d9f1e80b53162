"""What a caller of chat gets of Anthropic's answer, whole or streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursar.dialects.chat_to_messages import ChatToMessages
from bursar.dialects.messages_wire import MESSAGES
from bursar.dialects.openai_stream import DONE_FRAME
from bursar.dialects.passage_streams import TranslatedStream
from bursar.dialects.sse import data_frames
from bursar.dialects.translator import Asked
from tests.fakes.chat_reader import read_answer, read_stream
from tests.fakes.streamed_messages import ANSWERS, events_of
from tests.fakes.wire_files import wire_bytes, wire_events, wire_json

if TYPE_CHECKING:
    from collections.abc import Iterable

# A busy machine is no fault of the code.
UNHURRIED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
ASKED = Asked("anthropic:claude", wants_usage=True, created_s=1_790_000_000)
WITHOUT_USAGE = Asked("anthropic:claude", wants_usage=False, created_s=1_790_000_000)
STREAMS = ["text", "thinking", "tools"]


def _chunks(events: Iterable[dict[str, Any]], asked: Asked = ASKED) -> list[dict[str, Any]]:
    stream = ChatToMessages(asked).stream()
    chunks = [chunk for event in events for chunk in stream.event(event)]
    return [*chunks, *stream.end()]


def _answer(**fields: Any) -> dict[str, Any]:
    whole = {**wire_json("messages/text.answer.json"), **fields}
    return ChatToMessages(ASKED).answer(whole)


def test_an_answer_repeats_what_was_asked_and_tells_what_was_said_and_used() -> None:
    assert _answer() == {
        "id": "msg_01VjSdnZmhTZCDMh1hJTD35U",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "anthropic:claude",
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
    answer = ChatToMessages(ASKED).answer(wire_json("messages/tools.answer.json"))
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"] == [
        {
            "id": "toolu_01C09q90qw90lq917835lq9",
            "type": "function",
            "function": {"name": "get_weather", "arguments": '{"city":"Rome"}'},
        },
        {
            "id": "toolu_01D09q90qw90lq917835lq9",
            "type": "function",
            "function": {"name": "get_time", "arguments": '{"city":"Rome"}'},
        },
    ]
    assert answer["usage"]["prompt_tokens"] == 1_642
    assert answer["usage"]["prompt_tokens_details"] == {
        "cached_tokens": 0,
        "cache_write_tokens": 1_430,
        "cache_creation_token_details": {
            "ephemeral_5m_input_tokens": 1_430,
            "ephemeral_1h_input_tokens": 0,
        },
    }


def test_calls_alone_have_no_content() -> None:
    call = {"type": "tool_use", "id": "a", "name": "look", "input": {}}
    (choice,) = _answer(content=[call], stop_reason="tool_use")["choices"]
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"][0]["function"]["arguments"] == "{}"


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        (None, "stop"),
        ("of tomorrow", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
def test_why_the_answer_ended_is_said_in_openais_words(
    stop_reason: str | None, finish_reason: str
) -> None:
    assert _answer(stop_reason=stop_reason)["choices"][0]["finish_reason"] == finish_reason


def test_a_refusal_is_explained_where_anthropic_explains_it() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "It is about toxins."}
    answer = _answer(stop_reason="refusal", stop_details=details)
    assert answer["choices"][0]["message"]["refusal"] == "It is about toxins."


def test_an_answer_without_usage_claims_none() -> None:
    assert _answer(usage=None)["usage"] is None


@pytest.mark.parametrize("case", STREAMS)
def test_a_streams_chunks_are_of_one_answer_and_its_usage_comes_last(case: str) -> None:
    *chunks, last = _chunks(wire_events(f"messages/{case}.sse"))
    assert {(chunk["id"], chunk["model"], chunk["created"]) for chunk in [*chunks, last]} == {
        (chunks[0]["id"], "anthropic:claude", 1_790_000_000)
    }
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [chunk["usage"] for chunk in chunks] == [None] * len(chunks)
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons[:-1] == [None] * (len(chunks) - 1)
    assert reasons[-1] is not None
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] > 10


def test_a_caller_who_did_not_ask_for_usage_sees_none() -> None:
    chunks = _chunks(wire_events("messages/tools.sse"), WITHOUT_USAGE)
    assert not [chunk for chunk in chunks if "usage" in chunk]


def test_signed_reasoning_comes_in_pieces_to_read_and_whole_to_send_back() -> None:
    deltas = [
        chunk["choices"][0]["delta"]
        for chunk in _chunks(wire_events("messages/thinking.sse"), WITHOUT_USAGE)
    ]
    assert deltas[1:4] == [
        {"reasoning_content": "12,231 + 453"},
        {"reasoning_content": " = 12,684"},
        {
            "thinking_blocks": [
                {
                    "index": 0,
                    "type": "thinking",
                    "thinking": "12,231 + 453 = 12,684",
                    "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds",
                }
            ]
        },
    ]


@UNHURRIED
@given(ANSWERS, st.integers(1, 9))
def test_a_stream_put_together_by_openais_sdk_is_the_whole_answer(
    answer: dict[str, Any], size: int
) -> None:
    whole = read_answer(ChatToMessages(ASKED).answer(answer))
    assert read_stream(_chunks(events_of(answer, size))) == whole


@UNHURRIED
@given(ANSWERS)
def test_what_the_model_said_goes_back_to_it_as_it_was(answer: dict[str, Any]) -> None:
    message = ChatToMessages(ASKED).answer(answer)["choices"][0]["message"]
    said = [block for block in answer["content"] if block["type"] == "tool_use"]
    thought = [
        block
        for block in answer["content"]
        if block["type"] == "redacted_thinking" or block.get("signature")
    ]
    text = "".join(block["text"] for block in answer["content"] if block["type"] == "text")
    text = text if text.strip() else ""
    text += message["refusal"] or ""

    question = {"role": "user", "content": "?"}
    sent = ChatToMessages(ASKED).request({"messages": [question, message, question]})
    turns = sent["messages"][1:-1]
    content = turns[0]["content"] if turns else []
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    assert [block for block in blocks if "thinking" in block["type"]] == thought
    sent_text = "".join(block["text"] for block in blocks if block["type"] == "text")
    assert sent_text == text
    assert [block for block in blocks if block["type"] == "tool_use"] == said


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_split_at_any_byte_is_the_same_to_the_caller(case: str) -> None:
    stream = wire_bytes(f"messages/{case}.sse")
    expected = data_frames(_chunks(wire_events(f"messages/{case}.sse"))) + DONE_FRAME
    for cut in range(len(stream) + 1):
        reader = TranslatedStream(
            MESSAGES.splitter(),
            MESSAGES.stream_meter(False),  # noqa: FBT003 (a callable has no keywords)
            ChatToMessages(ASKED).stream(),
            data_frames,
            DONE_FRAME,
        )
        got = reader.feed(stream[:cut]) + reader.feed(stream[cut:]) + reader.feed(None)
        assert reader.is_done
        assert got + reader.last_words() == expected


def test_a_stream_in_which_anthropic_fails_goes_on_to_nobody() -> None:
    failure = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    assert _chunks([failure], WITHOUT_USAGE) == []


def test_an_answer_is_json_again() -> None:
    answer = ChatToMessages(ASKED).answer(wire_json("messages/tools.answer.json"))
    assert msgspec.json.decode(msgspec.json.encode(answer)) == answer
