"""What becomes of the fields of a request."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.translator import Untranslatable
from tests.fakes.responses_over_chat import FUNCTION, MODEL, refused, to_chat


def test_text_is_a_users_message() -> None:
    assert to_chat() == {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_output_tokens": 9}, {"max_tokens": 9}),
        ({"temperature": 0, "top_p": 0.5}, {"temperature": 0, "top_p": 0.5}),
        ({"user": "u"}, {"user": "u"}),
        ({"reasoning": {"effort": "high", "summary": "auto"}}, {"reasoning_effort": "high"}),
        ({"reasoning": {"effort": None}}, {}),
        ({"service_tier": "flex"}, {"service_tier": "flex"}),
        ({"service_tier": "auto"}, {}),
        ({"text": {"verbosity": "low"}}, {"verbosity": "low"}),
        ({"text": {"verbosity": "medium", "format": {"type": "text"}}}, {}),
        (
            {"text": {"format": {"type": "json_object"}}},
            {"response_format": {"type": "json_object"}},
        ),
        (
            {
                "text": {
                    "format": {
                        "type": "json_schema",
                        "name": "n",
                        "schema": {"type": "object"},
                        "strict": True,
                        "description": None,
                    }
                }
            },
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
                }
            },
        ),
        ({"top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
        ({"include": ["reasoning.encrypted_content"], "store": False}, {}),
        ({"metadata": {"a": "b"}, "prompt_cache_key": "k", "safety_identifier": "s"}, {}),
        ({"prompt_cache_options": {"mode": "explicit"}}, {}),
        ({"client_metadata": {"x": "y"}, "max_tool_calls": 3, "truncation": "disabled"}, {}),
        ({"stream": True, "stream_options": {"include_obfuscation": False}}, {}),
        ({"background": False, "previous_response_id": None, "conversation": None}, {}),
    ],
)
def test_a_field_becomes_its_counterpart(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    translated = to_chat(**fields)
    assert {name: translated[name] for name in translated if name not in ("model", "messages")} == (
        expected
    )


@pytest.mark.parametrize(
    ("fields", "param", "says"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id", "whole conversation"),
        ({"conversation": "conv_1"}, "conversation", "whole conversation"),
        ({"prompt": {"id": "p"}}, "prompt", "instructions"),
        ({"background": True}, "background", "stream it"),
        ({"store": True}, "store", "set it to false"),
        ({"context_management": [{}]}, "context_management", "shorten"),
        ({"truncation": "auto"}, "truncation", "disabled"),
        ({"include": ["file_search_call.results"]}, "include[0]", "leave it out"),
        ({"include": "x"}, "include", "list"),
        ({"stream_options": {"include_obfuscation": True}}, "stream_options.include_obf", "leave"),
        ({"reasoning": {"mode": "pro"}}, "reasoning.mode", "leave"),
        ({"reasoning": {"context": "current_turn"}}, "reasoning.context", "choose"),
        ({"reasoning": {"budget": 5}}, "reasoning.budget", "leave"),
        ({"reasoning": "high"}, "reasoning", "object"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format", "json_schema"),
        ({"text": {"format": {"type": ["x"]}}}, "text.format", "json_schema"),
        ({"text": {"tone": "kind"}}, "text.tone", "leave"),
        ({"moderation": {"model": "m"}}, "moderation", "leave"),
        ({"seed": 5}, "seed", "leave"),
        ({"input": 5}, "input", "list of items"),
        ({"input": None}, "input", "list of items"),
        ({"input": ["x"]}, "input[0]", "object"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]", 'web_search = "disabled"'),
        ({"tools": [{"type": "file_search"}]}, "tools[0]", "function of your own"),
        ({"tools": [FUNCTION, {"type": "custom"}]}, "tools[1].name", "required"),
        ({"tools": [{**FUNCTION, "defer_loading": True}]}, "tools[0].defer_loading", "leave"),
        (
            {"tools": [{**FUNCTION, "allowed_callers": ["programmatic"]}]},
            "tools[0].allowed_callers",
            "leave",
        ),
        ({"tools": [FUNCTION, {"type": "custom", "name": "f"}]}, "tools[1]", "Two tools"),
        ({"tools": [FUNCTION], "tool_choice": {"type": "mcp"}}, "tool_choice", "function"),
    ],
)
def test_what_chat_cannot_say_is_refused_by_its_name(
    fields: dict[str, Any], param: str, says: str
) -> None:
    error = refused(**fields)
    assert str(error.param).startswith(param)
    assert says in error.message


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "role", "content", "text", "name", "tools", "format"]),
            inner | st.sampled_from(["message", "function", "custom", "namespace", "user"]),
            max_size=4,
        )
    ),
    max_leaves=8,
)
_FIELDS = st.sampled_from(
    ["input", "tools", "tool_choice", "text", "reasoning", "include", "stream_options", "other"]
)


@given(fields=st.dictionaries(_FIELDS, _JSON, max_size=4))
def test_any_json_is_translated_or_refused_by_a_name(fields: dict[str, Any]) -> None:
    with suppress(Untranslatable):
        assert to_chat(**fields)["messages"] is not None
