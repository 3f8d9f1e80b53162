from __future__ import annotations

from typing import Any

import pytest

from bursar.dialects.messages_to_chat import MessagesToChat
from bursar.dialects.translator import Asked
from tests.fakes.wire_files import wire_json

ASKED = Asked("openai:gpt-5-mini", wants_usage=True, created_s=1_790_000_000)


def _translated(case: str) -> dict[str, Any]:
    return MessagesToChat(ASKED).answer(wire_json(f"chat/{case}.answer.json"))


def _answered(message: dict[str, Any], finish_reason: str = "stop", **fields: Any) -> Any:
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return MessagesToChat(ASKED).answer({"id": "c", "choices": [choice], **fields})


def _call(arguments: Any) -> dict[str, Any]:
    return {"id": "t", "type": "function", "function": {"name": "f", "arguments": arguments}}


def test_a_text_is_a_whole_message() -> None:
    assert _translated("text") == {
        "id": "chatcmpl-CxJ0a1Bq3mZ7wYd9n5Rk2TfPu",
        "type": "message",
        "role": "assistant",
        "model": "openai:gpt-5-mini",
        "content": [{"type": "text", "text": "Bonjour, ça va ? 🙂"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 176,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 1_024,
            "output_tokens": 12,
            "service_tier": "standard",
        },
    }


def test_calls_of_tools_have_their_input_parsed() -> None:
    message = _translated("tools")
    assert message["stop_reason"] == "tool_use"
    assert message["content"][1:] == [
        {
            "type": "tool_use",
            "id": "call_8mJ3qR0sVt2YwZ1xA4cB5dE6",
            "name": "get_weather",
            "input": {"city": "Rome"},
        },
        {
            "type": "tool_use",
            "id": "call_9nK4rS1tWu3XzA2yB5dC6eF7",
            "name": "get_time",
            "input": {"city": "Rome"},
        },
    ]
    assert message["usage"]["output_tokens_details"] == {"thinking_tokens": 64}


def test_reasoning_comes_first_and_is_signed_with_the_name_of_its_field() -> None:
    thinking, text = _translated("reasoning")["content"]
    assert thinking == {
        "type": "thinking",
        "thinking": "12,231 + 453 = 12,684",
        "signature": "reasoning_content",
    }
    assert text == {"type": "text", "text": "12,684"}
    (first, _) = _answered({"content": "x", "reasoning": "because"})["content"]
    assert first["signature"] == "reasoning"


def test_reasoning_that_a_provider_signed_keeps_its_signature() -> None:
    signed = [
        {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
        {"type": "redacted_thinking", "data": "Emw"},
    ]
    message = {"content": "x", "reasoning_content": "hm", "thinking_blocks": signed}
    assert _answered(message)["content"] == [*signed, {"type": "text", "text": "x"}]


def test_thinking_that_is_not_wanted_is_not_shown() -> None:
    translator = MessagesToChat(ASKED)
    translator.request(
        {
            "max_tokens": 5,
            "messages": [{"role": "user", "content": "x"}],
            "thinking": {"type": "adaptive", "display": "omitted"},
        }
    )
    answer = translator.answer(wire_json("chat/reasoning.answer.json"))
    assert [block["type"] for block in answer["content"]] == ["text"]


def test_content_in_parts_is_told_apart() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Add them."}]}
    parts = [thought, {"type": "text", "text": "12"}, {"type": "text", "text": ""}]
    thinking, text = _answered({"content": parts})["content"]
    assert thinking["thinking"] == "Add them."
    assert text["text"] == "12"


def test_a_refusal_is_told_as_text_and_as_the_reason() -> None:
    message = _answered({"content": None, "refusal": "I can't."})
    assert message["content"] == [{"type": "text", "text": "I can't."}]
    assert message["stop_reason"] == "refusal"


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ('{"a":1}', {"a": 1}),
        ("", {}),
        (None, {}),
        ({"a": 1}, {"a": 1}),
        ('{"a":', {"INVALID_JSON": '{"a":'}),
        ("[1]", {"INVALID_JSON": "[1]"}),
    ],
)
def test_arguments_are_an_object_whatever_the_model_wrote(
    arguments: Any, read: dict[str, Any]
) -> None:
    message = _answered({"content": None, "tool_calls": [_call(arguments)]}, "tool_calls")
    assert message["content"][0]["input"] == read


def test_a_call_keeps_what_its_provider_wants_back() -> None:
    extra = {"google": {"thought_signature": "CiQB"}}
    message = _answered({"tool_calls": [{**_call("{}"), "extra_content": extra}]})
    assert message["content"][0]["extra_content"] == extra


@pytest.mark.parametrize(
    ("finish_reason", "stop_reason"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("model_length", "model_context_window_exceeded"),
        ("content_filter", "refusal"),
        ("eos", "end_turn"),
        (None, "end_turn"),
    ],
)
def test_the_reason_of_the_end_is_told_in_anthropics_words(
    finish_reason: Any, stop_reason: str
) -> None:
    assert _answered({"content": "x"}, finish_reason)["stop_reason"] == stop_reason


def test_a_call_ends_the_turn_for_it_even_where_the_provider_says_stop() -> None:
    call = {"content": None, "tool_calls": [_call("{}")]}
    assert _answered(call, "stop")["stop_reason"] == "tool_use"
    assert _answered(call, "length")["stop_reason"] == "max_tokens"


def test_a_provider_that_does_not_count_is_told_as_zeros() -> None:
    usage = _answered({"content": "x"})["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (0, 0)


def test_what_was_written_to_a_cache_is_told_by_how_long_it_is_kept() -> None:
    details = {
        "cached_tokens": 20,
        "cache_write_tokens": 50,
        "cache_creation_token_details": {
            "ephemeral_5m_input_tokens": 10,
            "ephemeral_1h_input_tokens": 40,
        },
    }
    counted = {"prompt_tokens": 100, "completion_tokens": 1, "prompt_tokens_details": details}
    assert _answered({"content": "x"}, usage=counted)["usage"] == {
        "input_tokens": 30,
        "cache_creation_input_tokens": 50,
        "cache_read_input_tokens": 20,
        "output_tokens": 1,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 40},
    }


def test_an_answer_without_an_id_gets_one() -> None:
    assert _answered({"content": "x"})["id"] == "c"
    choices = [{"message": {"content": "x"}}]
    assert MessagesToChat(ASKED).answer({"choices": choices})["id"] == "msg_1790000000"
