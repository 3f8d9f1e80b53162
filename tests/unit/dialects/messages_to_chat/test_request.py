from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.chat_plain import plain
from bursar.dialects.messages_to_chat import MessagesToChat
from bursar.dialects.translator import Asked, Untranslatable
from bursar.domain.errors import BursarError, InvalidRequest
from tests.fakes.wire_files import wire_json

TOOL = {"name": "f", "input_schema": {"type": "object"}}
CACHE = {"type": "ephemeral", "ttl": "1h"}
PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}


def _translated(model: str = "openai:gpt-4o", **fields: Any) -> dict[str, Any]:
    document = {
        "model": model,
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "hello"}],
        **fields,
    }
    before = msgspec.json.encode(document)
    translated = MessagesToChat(Asked(model, wants_usage=True, created_s=0)).request(document)
    assert msgspec.json.encode(document) == before
    return translated


def _messages(*messages: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    translated: list[dict[str, Any]] = _translated(messages=list(messages), **fields)["messages"]
    return translated


def _instructed(**fields: Any) -> dict[str, Any]:
    told = {"role": "system", "content": "b", **fields}
    return {"messages": [{"role": "user", "content": "x"}, told]}


def _user(*blocks: dict[str, Any]) -> Any:
    return _messages({"role": "user", "content": list(blocks)})


def _said(*blocks: dict[str, Any]) -> dict[str, Any]:
    """What becomes of an assistant's message in the middle of a conversation."""
    asked = {"role": "user", "content": "x"}
    return _messages(asked, {"role": "assistant", "content": list(blocks)}, asked)[1]


def _refused(**fields: Any) -> str | None:
    with pytest.raises(InvalidRequest) as refused:
        _translated(**fields)
    return refused.value.param


def test_plain_fields_go_under_their_names_in_chat() -> None:
    document = wire_json("messages/text.request.json")
    assert _translated(**document) == {
        "messages": [
            {"role": "system", "content": "Answer in French."},
            {"role": "user", "content": "Hello, how are you?"},
        ],
        "max_completion_tokens": 1_024,
        "temperature": 0.2,
        "top_p": 0.9,
        "stop": ["\n\nHuman:"],
    }


def test_a_conversation_with_tools_keeps_its_order() -> None:
    translated = _translated(**wire_json("messages/tools.request.json"))
    system, asked, called, weather, time, last = translated["messages"]
    assert system["content"][0]["text"] == "You are a travel agent."
    assert [part["type"] for part in asked["content"]] == ["text", "image_url"]
    assert asked["content"][1]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    assert called["content"] == "Let me look."
    assert [call["function"] for call in called["tool_calls"]] == [
        {"name": "get_weather", "arguments": '{"city":"Paris"}'},
        {"name": "get_time", "arguments": '{"city":"Paris"}'},
    ]
    assert weather == {
        "role": "tool",
        "tool_call_id": called["tool_calls"][0]["id"],
        "content": "15 °C, sunny",
    }
    assert time["content"] == "The clock is out of order"
    assert time["is_error"] is True
    assert last == {"role": "user", "content": "And in Rome?"}
    assert translated["tool_choice"] == "auto"
    assert translated["tools"][0] == {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }


def test_claude_code_is_understood_by_a_model_of_chat() -> None:
    translated = _translated(**wire_json("messages/claude-code.request.json"))
    system, asked, called, told = plain(translated, "max_tokens")["messages"]
    assert system["content"].startswith("x-anthropic-billing-header")
    assert len(asked["content"]) == 2
    assert called["reasoning_content"] == "I should list it."
    assert called["tool_calls"][0]["function"]["name"] == "Bash"
    assert told == {"role": "tool", "tool_call_id": "call_00_gX1", "content": "README.md\nsrc"}
    assert translated["reasoning_effort"] == "medium"
    assert len(translated["user"]) == 64


def test_results_of_tools_come_before_what_is_said_with_them() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "r"}
    roles = [each["role"] for each in _user({"type": "text", "text": "x"}, result)]
    assert roles == ["tool", "user"]


def test_instructions_in_blocks_are_one_text() -> None:
    blocks = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    first, _ = _translated(system=blocks)["messages"]
    assert first == {"role": "system", "content": "one\n\ntwo"}
    assert _translated(system=[])["messages"][0]["role"] == "user"


def test_instructions_among_the_messages_stay_there() -> None:
    user = {"role": "user", "content": "x"}
    messages = _messages(user, {"role": "system", "content": "be brief"}, user)
    assert messages[1] == {"role": "system", "content": "be brief"}


def test_instructions_for_one_turn_are_gone_in_the_next() -> None:
    user, said = {"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}
    always = {"role": "system", "content": "a", "clear_at": "never", "output_config": {}}
    once = {"role": "system", "content": "b", "clear_at": "next_user_message"}
    kept = _messages(user, always, once, said, user)
    assert [message["content"] for message in kept] == ["x", "a", "y", "x"]
    assert _messages(user, once)[1] == {"role": "system", "content": "b"}


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        (
            {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
            [{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}],
        ),
        (
            {
                "type": "document",
                "title": "r.pdf",
                "context": "A report.",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
                "citations": {"enabled": False},
            },
            [
                {"type": "text", "text": "A report."},
                {
                    "type": "file",
                    "file": {
                        "filename": "r.pdf",
                        "file_data": "data:application/pdf;base64,JVBE",
                    },
                },
            ],
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}},
            [
                {
                    "type": "file",
                    "file": {"filename": "document.pdf", "file_data": "https://a.example/b.pdf"},
                }
            ],
        ),
        (
            {
                "type": "document",
                "title": "T",
                "source": {"type": "content", "content": [{"type": "image", "source": PNG}]},
            },
            [
                {"type": "text", "text": "T"},
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="},
                },
            ],
        ),
    ],
)
def test_media_become_parts(block: dict[str, Any], parts: list[dict[str, Any]]) -> None:
    (message,) = _user(block)
    assert message["content"] == parts


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (
            {
                "type": "document",
                "title": "T",
                "source": {"type": "text", "media_type": "text/plain", "data": "body"},
            },
            "T\nbody",
        ),
        ({"type": "document", "source": {"type": "content", "content": "body"}}, "body"),
        (
            {
                "type": "search_result",
                "title": "T",
                "source": "https://a.example",
                "content": [{"type": "text", "text": "found"}],
            },
            "T\nhttps://a.example\nfound",
        ),
    ],
)
def test_documents_of_text_become_text(block: dict[str, Any], text: str) -> None:
    assert _user(block) == [{"role": "user", "content": text}]


def test_what_a_tool_shows_stays_with_its_result_between_translators() -> None:
    content = [{"type": "text", "text": "see"}, {"type": "image", "source": PNG}]
    (result,) = _user({"type": "tool_result", "tool_use_id": "t", "content": content})
    assert [part["type"] for part in result["content"]] == ["text", "image_url"]
    (empty,) = _user({"type": "tool_result", "tool_use_id": "t"})
    assert empty == {"role": "tool", "tool_call_id": "t", "content": ""}


def test_marks_of_the_cache_are_kept_wherever_they_stand() -> None:
    text = {"type": "text", "text": "x", "cache_control": CACHE}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "r", "cache_control": CACHE}
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {}, "cache_control": CACHE}
    translated = _translated(
        system=[text],
        messages=[
            {"role": "user", "content": [text]},
            {"role": "assistant", "content": [text, use]},
            {"role": "user", "content": [result]},
        ],
        tools=[{**TOOL, "cache_control": CACHE}],
        cache_control=CACHE,
    )
    system, user, called, told = translated["messages"]
    part = [{"type": "text", "text": "x", "cache_control": CACHE}]
    assert (system["content"], user["content"], called["content"]) == (part, part, part)
    assert called["tool_calls"][0]["cache_control"] == CACHE
    assert told["cache_control"] == CACHE
    assert translated["tools"][0]["cache_control"] == CACHE
    assert translated["cache_control"] == CACHE


def test_reasoning_goes_back_to_the_field_that_it_came_from() -> None:
    def thinking(text: str, signature: str | None) -> dict[str, Any]:
        return {"type": "thinking", "thinking": text, "signature": signature}

    text = {"type": "text", "text": "x"}
    said = _said(thinking("a", "reasoning_content"), thinking("b", None), text)
    assert said == {"role": "assistant", "content": "x", "reasoning_content": "ab"}
    assert _said(thinking("a", "reasoning"), text)["reasoning"] == "a"


def test_what_anthropic_signed_is_kept_for_anthropic_alone() -> None:
    said = _messages(*wire_json("messages/thinking.request.json")["messages"])[1]
    assert said["content"] == "12,231"
    assert "reasoning_content" not in said
    assert [block["type"] for block in said["thinking_blocks"]] == ["thinking", "redacted_thinking"]
    assert said["thinking_blocks"][0]["signature"].startswith("EqQBCgIYAhIM")


def test_a_call_keeps_what_its_provider_wants_back() -> None:
    extra = {"google": {"thought_signature": "CiQB"}}
    use = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}, "extra_content": extra}
    said = _said({**use, "caller": {"type": "direct"}})
    assert said["content"] is None
    assert said["tool_calls"][0]["extra_content"] == extra


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, {"tool_choice": "auto"}),
        ({"type": "any"}, {"tool_choice": "required"}),
        ({"type": "none"}, {"tool_choice": "none"}),
        (
            {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
            {
                "tool_choice": {"type": "function", "function": {"name": "f"}},
                "parallel_tool_calls": False,
            },
        ),
        (
            {"type": "auto", "disable_parallel_tool_use": False},
            {"tool_choice": "auto"},
        ),
    ],
)
def test_the_choice_of_tools_is_the_same(choice: dict[str, Any], expected: dict[str, Any]) -> None:
    translated = _translated(tools=[TOOL], tool_choice=choice)
    names = ("tool_choice", "parallel_tool_calls")
    assert {name: translated[name] for name in names if name in translated} == expected


def test_a_strict_tool_stays_strict() -> None:
    tool = {**TOOL, "type": "custom", "strict": True, "eager_input_streaming": True}
    (function,) = _translated(tools=[tool])["tools"]
    assert function["function"]["strict"] is True


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({}, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 1_024}}, "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 8_192}}, "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 31_999}}, "high"),
        ({"thinking": {"type": "adaptive"}}, None),
        (
            {
                "thinking": {"type": "adaptive"},
                "output_config": {"effort": "xhigh"},
                "model": "openai:gpt-5",
            },
            "xhigh",
        ),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}}, None),
        (
            {
                "thinking": {"type": "enabled", "budget_tokens": 1_024},
                "output_config": {"effort": "max"},
            },
            "max",
        ),
        ({"output_config": {"effort": "low"}, "model": "some:other"}, "low"),
        ({"output_config": {"effort": "low"}, "model": "azure:my-gpt-4.1"}, None),
        ({"thinking": {"type": "disabled"}}, None),
        ({"thinking": {"type": "disabled"}, "model": "openai:gpt-5-mini"}, "minimal"),
        ({"thinking": {"type": "disabled"}, "model": "openai:gpt-5.1"}, "none"),
        ({"thinking": {"type": "disabled"}, "model": "gemini:gemini-2.5-flash"}, "none"),
    ],
)
def test_thinking_becomes_an_effort(fields: dict[str, Any], effort: str | None) -> None:
    assert _translated(**fields).get("reasoning_effort") == effort


def test_the_providers_own_name_of_the_model_decides_over_reasoning() -> None:
    asked = Asked("fast", wants_usage=True, created_s=0, upstream_model="gpt-5.2")
    document = {
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "x"}],
        "thinking": {"type": "disabled"},
    }
    assert MessagesToChat(asked).request(document)["reasoning_effort"] == "none"


CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": {"type": "integer"}}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "is_strict"),
    [
        (CLOSED, True),
        ({**CLOSED, "required": []}, False),
        ({**CLOSED, "additionalProperties": True}, False),
        ({**CLOSED, "$defs": {"x": {"type": "object"}}}, False),
        ({**CLOSED, "properties": {"a": {"anyOf": [CLOSED, {"type": "null"}]}}}, True),
        ({**CLOSED, "properties": {"a": {"type": "array", "items": {"type": "object"}}}}, False),
        ({**CLOSED, "required": 5, "properties": 5}, False),
    ],
)
@pytest.mark.parametrize("place", ["output_config", "output_format"])
def test_an_answers_schema_is_strict_where_openai_takes_it_so(
    place: str, schema: dict[str, Any], *, is_strict: bool
) -> None:
    wanted = {"type": "json_schema", "schema": schema}
    fields: dict[str, Any] = {place: {"format": wanted} if place == "output_config" else wanted}
    kept = _translated(**fields)["response_format"]["json_schema"]
    assert kept["schema"] == schema
    assert kept.get("strict", False) is is_strict


def test_the_end_user_is_named_in_no_more_than_openai_takes() -> None:
    assert _translated(metadata={"user_id": "ann"})["user"] == "ann"
    telemetry = '{"device_id":"' + "d" * 64 + '","session_id":"s"}'
    digest = sha256(telemetry.encode()).hexdigest()
    assert _translated(metadata={"user_id": telemetry})["user"] == digest
    assert "user" not in _translated(metadata={})


@pytest.mark.parametrize(
    "fields",
    [
        {"service_tier": "auto"},
        {"speed": "standard"},
        {"diagnostics": {"previous_message_id": "msg_1"}},
        {"inference_geo": "global"},
        {"mcp_servers": []},
        {"stop_sequences": []},
        {"tools": []},
        {"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}},
        {"thinking": {"type": "adaptive", "display": "summarized"}},
        {"top_k": None},
        {"stream": True},
    ],
)
def test_what_asks_for_nothing_in_particular_is_left_out(fields: dict[str, Any]) -> None:
    assert _translated(**fields) == _translated()


def test_ordinary_service_is_asked_for_by_its_name_in_chat() -> None:
    assert _translated(service_tier="standard_only")["service_tier"] == "default"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"top_k": 5}, "top_k"),
        ({"field_of_tomorrow": 1}, "field_of_tomorrow"),
        ({"container": "c"}, "container"),
        (_instructed(clear_at="later"), "messages[1].clear_at"),
        (_instructed(output_config={"effort": "low"}), "messages[1].output_config"),
        ({"speed": "fast"}, "speed"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"mcp_servers": [{"url": "https://a.example"}]}, "mcp_servers"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"metadata": {"team": "x"}}, "metadata.team"),
        ({"thinking": {"type": "telepathic"}}, "thinking"),
        ({"thinking": {"type": "enabled", "depth": 5}}, "thinking.depth"),
        ({"output_config": {"effort": "heroic"}}, "output_config.effort"),
        ({"output_config": {"task_budget": 5}}, "output_config.task_budget"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
        ({"tools": [{**TOOL, "defer_loading": True}]}, "tools[0].defer_loading"),
        ({"tools": [{**TOOL, "input_examples": [{}]}]}, "tools[0].input_examples"),
        ({"tools": [{"name": "f"}]}, "tools[0].input_schema"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        (
            {"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}},
            "context_management.edits[0].type",
        ),
    ],
)
def test_what_chat_does_not_have_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    assert _refused(**fields) == param


@pytest.mark.parametrize(
    ("block", "field"),
    [
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, "source.type"),
        ({"type": "image", "source": PNG, "transformations": {"x": 1}}, "transformations"),
        ({"type": "document", "source": {"type": "file", "file_id": "f"}}, "source.type"),
        (
            {
                "type": "document",
                "source": {"type": "text", "data": "x"},
                "citations": {"enabled": True},
            },
            "citations",
        ),
        ({"type": "document"}, "source"),
        ({"type": "container_upload", "file_id": "f"}, "type"),
        ({"type": "web_search_tool_result", "tool_use_id": "t", "content": []}, "type"),
        ({"type": "text", "text": "x", "mood": "good"}, "mood"),
        ({"type": "text"}, "text"),
        ({"text": "x"}, "type"),
    ],
)
def test_a_block_without_counterpart_is_refused_by_its_place(
    block: dict[str, Any], field: str
) -> None:
    messages = [{"role": "user", "content": [block]}]
    assert _refused(messages=messages) == f"messages[0].content[0].{field}"


def test_a_format_in_both_of_its_places_is_refused() -> None:
    wanted = {"type": "json_schema", "schema": {}}
    with pytest.raises(InvalidRequest, match="output_format"):
        _translated(output_format=wanted, output_config={"format": wanted})


@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        (
            [{"role": "user", "content": "x"}, {"role": "assistant", "content": "The"}],
            Untranslatable,
        ),
        ([], InvalidRequest),
        ([{"role": "user", "content": []}], InvalidRequest),
        ([{"role": "user", "content": ""}], InvalidRequest),
        ([{"role": "user", "content": 5}], InvalidRequest),
        ([{"role": "critic", "content": "x"}], Untranslatable),
    ],
)
def test_a_conversation_that_chat_cannot_hold_is_refused(
    messages: list[Any], kind: type[BursarError]
) -> None:
    with pytest.raises(kind):
        _translated(messages=messages)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "content", "source", "role", "name", "input", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    field=st.sampled_from(
        ["system", "messages", "tools", "tool_choice", "thinking", "metadata", "output_config"]
    ),
    value=_JSON,
)
def test_whatever_is_sent_is_translated_or_refused(field: str, value: Any) -> None:
    try:
        translated = _translated(**{field: value})
    except InvalidRequest as refused:
        assert refused.message  # noqa: PT017 (either is fine; anything else is not)
    else:
        assert translated["messages"]
