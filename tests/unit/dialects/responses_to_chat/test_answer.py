"""A whole chat answer as a response."""

from __future__ import annotations

from typing import Any

import pytest

from bursar.dialects.responses_to_chat.reasoning import Kept, unpacked
from tests.fakes.responses_over_chat import FUNCTION, MODEL, translator
from tests.fakes.wire_files import wire_json

CODEX = wire_json("responses/codex-first-turn.json")
PATCH = '*** Begin Patch\n*** Add File: é.txt\n+"hi"\n*** End Patch\n'


def _response(case: str, **fields: Any) -> dict[str, Any]:
    return _response_to(wire_json(f"responses/over-chat/{case}.answer.json"), **fields)


def _response_to(chat: dict[str, Any], **fields: Any) -> dict[str, Any]:
    made = translator()
    made.request({"model": MODEL, "input": "hello", **fields})
    return made.answer(chat)


def test_text_is_a_message() -> None:
    response = _response("text")
    assert response["output"][0]["content"][0]["text"] == "Grüezi mitenand!"
    assert (response["status"], response["error"], response["incomplete_details"]) == (
        "completed",
        None,
        None,
    )
    assert response["id"] == "resp_CfQ1"
    assert response["created_at"] == 1


def test_usage_has_the_names_of_responses() -> None:
    assert _response("tools", **CODEX)["usage"] == {
        "input_tokens": 412,
        "input_tokens_details": {"cached_tokens": 384, "cache_write_tokens": 0},
        "output_tokens": 96,
        "output_tokens_details": {"reasoning_tokens": 21},
        "total_tokens": 508,
    }
    assert _response_to({"choices": [{"message": {}}]})["usage"] is None


def test_reasoning_text_and_calls_are_items_in_that_order() -> None:
    response = _response("tools", **CODEX)
    reasoning, message, *calls = response["output"]
    assert reasoning["content"] == [{"type": "reasoning_text", "text": "First ls, then patch."}]
    assert unpacked(reasoning["encrypted_content"]) == Kept(
        MODEL, {"reasoning_content": "First ls, then patch."}
    )
    assert message["content"][0]["text"] == "I'll look."
    assert [(call["type"], call["name"], call["call_id"]) for call in calls] == [
        ("function_call", "shell_command", "call_00_Ab"),
        ("custom_tool_call", "apply_patch", "call_01_Cd"),
        ("function_call", "search", "call_02_Ef"),
    ]
    assert calls[1]["input"] == PATCH
    assert calls[2]["namespace"] == "mcp__docs"


def test_a_custom_tools_text_is_taken_even_where_the_model_forgot_to_wrap_it() -> None:
    for arguments in (PATCH, '["x"]', '{"patch": "x"}', "[" * 100_000):
        call = {"id": "c", "function": {"name": "apply_patch", "arguments": arguments}}
        chat = {"choices": [{"message": {"tool_calls": [call]}}]}
        assert _response_to(chat, **CODEX)["output"][0]["input"] == arguments


@pytest.mark.parametrize(
    ("case", "status", "reason"),
    [
        ("length", "incomplete", "max_output_tokens"),
        ("filtered", "incomplete", "content_filter"),
        ("refusal", "completed", None),
    ],
)
def test_the_status_tells_how_it_ended(case: str, status: str, reason: str | None) -> None:
    response = _response(case)
    assert response["status"] == status
    assert (response["incomplete_details"] or {}).get("reason") == reason
    assert all(item["status"] == status for item in response["output"])


def test_a_provider_that_gave_up_has_failed() -> None:
    choice = {"message": {"content": "Hal"}, "finish_reason": "insufficient_system_resource"}
    response = _response_to({"choices": [choice]})
    assert response["status"] == "failed"
    assert response["error"] == {
        "code": "server_error",
        "message": "The model's provider gave up: insufficient_system_resource",
    }


def test_a_refusal_is_a_part_of_the_message() -> None:
    assert _response("refusal")["output"][0]["content"] == [
        {"type": "refusal", "refusal": "I can't help with that."}
    ]


def test_probabilities_and_notes_come_with_the_text() -> None:
    logprobs = _response("text")["output"][0]["content"][0]["logprobs"]
    assert [each["token"] for each in logprobs] == ["Grüezi", " mitenand!"]
    inner = {"url": "https://x", "title": "t", "start_index": 0, "end_index": 1}
    message = {"content": "a", "annotations": [{"type": "url_citation", "url_citation": inner}]}
    (item,) = _response_to({"choices": [{"message": message}]})["output"]
    assert item["content"][0]["annotations"] == [{"type": "url_citation", **inner}]


def test_text_and_reasoning_may_come_as_parts() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "Yes."},
    ]
    reasoning, message = _response_to({"choices": [{"message": {"content": content}}]})["output"]
    assert reasoning["content"][0]["text"] == "Hm."
    assert message["content"][0]["text"] == "Yes."


def test_what_stands_beside_a_call_is_kept() -> None:
    reasoning, *calls = _response("signed-calls", tools=[{**FUNCTION, "name": "shell_command"}])[
        "output"
    ]
    kept = unpacked(reasoning["encrypted_content"])
    assert kept is not None
    assert kept.calls["function-call-1"]["extra_content"]["google"]["thought_signature"]
    assert reasoning["content"] == []
    assert len(calls) == 2


def test_a_call_without_an_id_is_given_one() -> None:
    call = {"function": {"name": "f", "arguments": "{}"}}
    response = _response_to({"id": "x", "choices": [{"message": {"tool_calls": [call, call]}}]})
    assert [item["call_id"] for item in response["output"]] == ["call_x_0", "call_x_1"]


def test_the_request_is_repeated_and_nothing_is_said_to_be_stored() -> None:
    asked = {
        "instructions": "Be brief.",
        "tools": [FUNCTION],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "metadata": {"a": "b"},
        "text": {"format": {"type": "json_object"}},
        "max_output_tokens": 50,
    }
    response = _response("text", **asked)
    unsaid = {"description": None, "strict": None}
    expected = asked | {"tools": [FUNCTION | unsaid]}
    assert {name: response[name] for name in asked} == expected
    assert (response["store"], response["truncation"]) == (False, "disabled")
    assert response["model"] == MODEL


@pytest.mark.parametrize("chat", [{}, {"choices": []}, {"choices": [5]}, {"choices": 5}])
def test_what_is_no_chat_answer_is_an_error_that_the_passage_knows(chat: dict[str, Any]) -> None:
    with pytest.raises((KeyError, IndexError, TypeError, AttributeError)):
        _response_to(chat)
