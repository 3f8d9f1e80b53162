"""What is sent, and what is read of an answer, in each dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bursar.cli.chat_dialects import DIALECTS, Question, Tokens, error_of

if TYPE_CHECKING:
    from collections.abc import Mapping

TURNS = ({"role": "user", "content": "hi"},)
QUESTION = Question("m", TURNS, "be brief", 9)
BODIES: Mapping[str, Mapping[str, Any]] = {
    "chat": {
        "model": "m",
        "messages": [{"role": "system", "content": "be brief"}, *TURNS],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_completion_tokens": 9,
    },
    "messages": {
        "model": "m",
        "messages": list(TURNS),
        "max_tokens": 9,
        "stream": True,
        "system": "be brief",
    },
    "responses": {
        "model": "m",
        "input": list(TURNS),
        "stream": True,
        "store": False,
        "instructions": "be brief",
        "max_output_tokens": 9,
    },
}
EVENTS: Mapping[str, list[dict[str, Any]]] = {
    "chat": [
        {"choices": [{"delta": {"role": "assistant", "content": ""}}]},
        {"choices": [{"delta": {"content": "He"}}]},
        {"choices": [{"delta": {"content": "llo"}}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    ],
    "messages": [
        {"type": "message_start", "message": {"usage": {"input_tokens": 2, "output_tokens": 1}}},
        {"type": "ping"},
        {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "?"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "He"}},
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "llo"}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"input_tokens": 2, "cache_read_input_tokens": 1, "output_tokens": 2},
        },
    ],
    "responses": [
        {"type": "response.created", "response": {"usage": None, "error": None}},
        {"type": "response.reasoning_summary_text.delta", "delta": "?"},
        {"type": "response.output_text.delta", "delta": "He"},
        {"type": "response.output_text.delta", "delta": "llo"},
        {
            "type": "response.completed",
            "response": {"error": None, "usage": {"input_tokens": 3, "output_tokens": 2}},
        },
    ],
}
ANSWERS: Mapping[str, dict[str, Any]] = {
    "chat": {"choices": [{"message": {"content": "Hello"}}]},
    "messages": {"content": [{"type": "thinking"}, {"type": "text", "text": "Hello"}]},
    "responses": {
        "output": [
            {"type": "reasoning", "summary": []},
            {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]},
        ]
    },
}


@pytest.mark.parametrize("name", DIALECTS)
def test_a_question_is_put_as_the_dialect_has_it(name: str) -> None:
    assert DIALECTS[name].body(QUESTION) == BODIES[name]


@pytest.mark.parametrize("name", DIALECTS)
def test_a_stream_is_its_words_and_its_counts(name: str) -> None:
    dialect, tokens = DIALECTS[name], Tokens()
    for event in EVENTS[name]:
        assert error_of(event) is None
        tokens = tokens.joined(dialect.tokens(event))
    assert "".join(map(dialect.piece, EVENTS[name])) == "Hello"
    assert tokens == Tokens(3, 2)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_whole_answer_is_its_words(name: str) -> None:
    assert DIALECTS[name].text(ANSWERS[name]) == "Hello"


@pytest.mark.parametrize(
    "event",
    [
        {"error": {"message": "no more"}},
        {"type": "error", "error": {"type": "overloaded_error", "message": "no more"}},
        {"type": "response.failed", "response": {"error": {"message": "no more"}}},
        {"type": "error", "message": "no more"},
    ],
)
def test_a_stream_that_fails_says_so(event: dict[str, Any]) -> None:
    assert error_of(event) == "no more"
