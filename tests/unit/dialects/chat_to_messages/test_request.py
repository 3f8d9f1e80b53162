"""What a chat request becomes for Anthropic, and what is refused instead of being dropped."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from bursar.dialects.chat_to_messages import ChatToMessages
from bursar.dialects.translator import Asked, Untranslatable
from bursar.domain.errors import InvalidRequest
from tests.fakes.wire_files import wire_json

HI = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
IMAGE = "data:image/png;base64,aGk="


def translated(model: str = "claude-sonnet-4-6", /, **fields: Any) -> dict[str, Any]:
    asked = Asked(f"anthropic:{model}", wants_usage=False, created_s=0)
    return ChatToMessages(asked).request({"messages": [HI], **fields})


def content_of(content: Any) -> Any:
    return translated(messages=[{"role": "user", "content": content}])["messages"][0]["content"]


def test_a_whole_agents_conversation_becomes_one_of_anthropics() -> None:
    asked = Asked("anthropic:claude-sonnet-4-6", wants_usage=True, created_s=0)
    made = ChatToMessages(asked).request(wire_json("chat/agent.request.json"))
    assert made == wire_json("chat/agent.to-messages.json")


def test_the_callers_document_is_left_as_it_was() -> None:
    given, kept = (wire_json("chat/agent.request.json") for _ in range(2))
    ChatToMessages(Asked("m", wants_usage=True, created_s=0)).request(given)
    assert given == kept


def test_model_and_stream_are_left_to_the_wire() -> None:
    assert translated(model="anthropic:claude", stream=True) == {"messages": [HI]}


def test_instructions_are_gathered_wherever_they_stand() -> None:
    made = translated(
        messages=[
            {"role": "system", "content": "one"},
            HI,
            {"role": "developer", "content": [{"type": "text", "text": "two"}]},
            {"role": "system", "content": "three", "cache_control": {"type": "ephemeral"}},
        ]
    )
    assert made["messages"] == [HI]
    assert made["system"] == [
        {"type": "text", "text": "one"},
        {"type": "text", "text": "two"},
        {"type": "text", "text": "three", "cache_control": {"type": "ephemeral"}},
    ]


def test_an_image_is_sent_along_or_linked() -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/jpg;x=y;base64,aGk="}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "auto"}},
    ]
    sent, linked = content_of(parts)
    assert sent["source"] == {"type": "base64", "media_type": "image/jpeg", "data": "aGk="}
    assert linked["source"] == {"type": "url", "url": "https://example.com/a.png"}


def test_a_text_file_is_sent_as_text() -> None:
    data = base64.b64encode("naïve".encode()).decode()
    file = {"file_data": f"data:text/plain;charset=utf-8;base64,{data}", "filename": "a.txt"}
    (block,) = content_of([{"type": "file", "file": file}])
    assert block == {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "naïve"},
        "title": "a.txt",
    }


def test_results_that_follow_one_another_are_one_turn_and_others_are_not() -> None:
    calls = [
        {"id": name, "type": "function", "function": {"name": "look", "arguments": "{}"}}
        for name in "ab"
    ]
    result = {"role": "tool", "content": "seen"}
    made = translated(
        messages=[
            HI,
            {"role": "assistant", "tool_calls": calls},
            {**result, "tool_call_id": "a"},
            {**result, "tool_call_id": "b", "is_error": True},
            {"role": "assistant", "content": "again", "tool_calls": calls[:1]},
            {**result, "tool_call_id": "a", "content": ""},
        ]
    )["messages"]
    assert [turn["role"] for turn in made] == ["user", "assistant", "user", "assistant", "user"]
    assert made[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "a", "content": "seen"},
        {"type": "tool_result", "tool_use_id": "b", "content": "seen", "is_error": True},
    ]
    assert made[4]["content"] == [{"type": "tool_result", "tool_use_id": "a"}]


def test_a_tools_result_may_be_an_image() -> None:
    part = {"type": "image_url", "image_url": {"url": IMAGE}}
    made = translated(messages=[{"role": "tool", "tool_call_id": "a", "content": [part]}])
    (result,) = made["messages"][0]["content"]
    assert result["content"][0]["type"] == "image"


def test_an_assistants_message_that_says_nothing_is_left_out() -> None:
    made = translated(messages=[HI, {"role": "assistant", "content": ""}, HI])
    assert made["messages"] == [HI, HI]


def test_blank_texts_are_left_out_wherever_they_stand() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    made = translated(
        messages=[
            {"role": "system", "content": " "},
            {
                "role": "user",
                "content": [{"type": "text", "text": "\n"}, {"type": "text", "text": "a"}],
            },
            {"role": "assistant", "content": "\n\n", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "a", "content": "\t"},
        ]
    )
    assert made == {
        "messages": [
            {"role": "user", "content": "a"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "a", "name": "look", "input": {}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}]},
        ]
    }


def test_ids_that_anthropic_refuses_are_replaced_in_both_places_and_stay_apart() -> None:
    ids = ["call_fine-1", "functions.look:0", "functions_look_0", "functions:look:0", "x" * 200]
    calls = [
        {"id": each, "type": "function", "function": {"name": "look", "arguments": "{}"}}
        for each in ids
    ]
    results = [{"role": "tool", "tool_call_id": each, "content": "seen"} for each in ids]
    made = translated(messages=[HI, {"role": "assistant", "tool_calls": calls}, *results])
    used = [block["id"] for block in made["messages"][1]["content"]]
    assert [block["tool_use_id"] for block in made["messages"][2]["content"]] == used
    assert used[0] == "call_fine-1"
    assert used[1].startswith("functions_look_0_")
    assert len(set(used)) == len(ids)
    assert all(re.fullmatch("[a-zA-Z0-9_-]{1,128}", each) for each in used)


def test_a_refusal_is_what_the_model_said() -> None:
    made = translated(
        messages=[HI, {"role": "assistant", "content": None, "refusal": "I'd rather not."}]
    )
    assert made["messages"][1] == {"role": "assistant", "content": "I'd rather not."}


@pytest.mark.parametrize(
    "message",
    [
        {"thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "sig"}]},
        {
            "reasoning_content": "hm",
            "thinking_blocks": [
                {"index": 0, "type": "thinking", "thinking": "hm", "signature": "sig"}
            ],
        },
        {"reasoning": "hm", "extra_content": {"anthropic": {"signature": "sig"}}},
        {"reasoning": {"content": "hm"}, "extra_content": {"anthropic": {"signature": "sig"}}},
        {"reasoning_content": "hm", "extra_content": {"anthropic": {"signature": "sig"}}},
    ],
)
def test_signed_reasoning_goes_back_before_what_it_led_to(message: dict[str, Any]) -> None:
    made = translated(messages=[HI, {"role": "assistant", "content": "42", **message}])
    assert made["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "text", "text": "42"},
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm", "extra_content": {"google": {"thought_signature": "x"}}},
        {"thinking_blocks": [{"type": "thinking", "thinking": "hm"}]},
        {"thinking_blocks": []},
    ],
)
def test_reasoning_that_nobody_signed_is_left_out(message: dict[str, Any]) -> None:
    made = translated(messages=[HI, {"role": "assistant", "content": "42", **message}])
    assert made["messages"][1] == {"role": "assistant", "content": "42"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"tool_choice": "auto"}, {"type": "auto"}),
        ({"tool_choice": "required"}, {"type": "any"}),
        ({"tool_choice": "none"}, {"type": "none"}),
        ({"tool_choice": "none", "parallel_tool_calls": False}, {"type": "none"}),
        ({"parallel_tool_calls": True}, None),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        (
            {
                "tool_choice": {"type": "function", "function": {"name": "look"}},
                "parallel_tool_calls": False,
            },
            {"type": "tool", "name": "look", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_the_choice_among_tools_is_said_in_anthropics_words(
    fields: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    assert translated(tools=[TOOL], **fields).get("tool_choice") == expected


def _allowing(mode: str, *names: str) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}


@pytest.mark.parametrize(("mode", "expected"), [("auto", "auto"), ("required", "any")])
def test_a_choice_among_some_tools_takes_the_others_away(mode: str, expected: str) -> None:
    other = {"type": "function", "function": {"name": "other"}}
    made = translated(tools=[TOOL, other], tool_choice=_allowing(mode, "look"))
    assert [tool["name"] for tool in made["tools"]] == ["look"]
    assert made["tool_choice"] == {"type": expected}


def test_where_openais_cache_may_end_is_no_matter_to_others() -> None:
    breakpoint_ = {"mode": "explicit"}
    part = {"type": "text", "text": "hi", "prompt_cache_breakpoint": breakpoint_}
    assert content_of([part]) == "hi"


def test_without_tools_there_is_nothing_to_choose() -> None:
    made = translated(tools=[], tool_choice="auto", parallel_tool_calls=False)
    assert made == {"messages": [HI]}


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        ("claude-opus-4-6", "minimal", ({"type": "adaptive"}, "low")),
        ("claude-sonnet-5", "xhigh", ({"type": "adaptive"}, "xhigh")),
        ("some-alias", "max", ({"type": "adaptive"}, "max")),
        (
            "claude-opus-4-5-20251101",
            "xhigh",
            ({"type": "enabled", "budget_tokens": 32_768}, "high"),
        ),
        ("claude-sonnet-4-5", "low", ({"type": "enabled", "budget_tokens": 2_048}, None)),
        (
            "us.anthropic.claude-haiku-4-5-v1:0",
            "high",
            ({"type": "enabled", "budget_tokens": 24_576}, None),
        ),
        ("claude-opus-4@20250514", "medium", ({"type": "enabled", "budget_tokens": 8_192}, None)),
        (
            "claude-3-7-sonnet-latest",
            "minimal",
            ({"type": "enabled", "budget_tokens": 1_024}, None),
        ),
        ("claude-opus-4-5", "none", ({"type": "disabled"}, None)),
        ("claude-opus-4-6", "auto", (None, None)),
    ],
)
def test_effort_is_asked_for_in_the_way_the_model_knows(
    model: str, effort: str, expected: tuple[dict[str, Any] | None, str | None]
) -> None:
    made = translated(model, reasoning_effort=effort)
    assert (made.get("thinking"), made.get("output_config", {}).get("effort")) == expected


def test_the_providers_own_name_of_the_model_decides_over_an_alias() -> None:
    asked = Asked("smart", wants_usage=False, created_s=0, upstream_model="claude-haiku-4-5")
    made = ChatToMessages(asked).request({"messages": [HI], "reasoning_effort": "low"})
    assert made["thinking"]["type"] == "enabled"


def test_a_budget_leaves_room_for_the_answer() -> None:
    made = translated("claude-haiku-4-5", reasoning_effort="high", max_tokens=4_096)
    assert made["thinking"]["budget_tokens"] == 3_072
    with pytest.raises(Untranslatable, match="2048") as caught:
        translated("claude-haiku-4-5", reasoning_effort="low", max_tokens=2_047)
    assert caught.value.param == "reasoning_effort"


@pytest.mark.parametrize(
    ("reasoning", "expected"),
    [
        ({"effort": "high"}, {"type": "adaptive"}),
        ({"enabled": True}, {"type": "adaptive"}),
        ({"enabled": False}, {"type": "disabled"}),
        ({"effort": "none"}, {"type": "disabled"}),
        ({"max_tokens": 2_000}, {"type": "enabled", "budget_tokens": 2_000}),
        ({"effort": "low", "exclude": True}, {"type": "adaptive", "display": "omitted"}),
        ({}, None),
    ],
)
def test_openrouters_way_of_asking_is_understood(
    reasoning: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    assert translated(reasoning=reasoning).get("thinking") == expected


def test_messages_own_fields_pass() -> None:
    thinking = {"type": "enabled", "budget_tokens": 1_024}
    own = {"thinking": thinking, "top_k": 5, "cache_control": {"type": "ephemeral"}}
    assert translated(**own) == {"messages": [HI], **own}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_tokens": 5}, {"max_tokens": 5}),
        ({"max_completion_tokens": 6, "max_tokens": 5}, {"max_tokens": 6}),
        ({"stop": "END"}, {"stop_sequences": ["END"]}),
        ({"stop": []}, {}),
        ({"temperature": 0.0, "top_p": 1}, {"temperature": 0.0, "top_p": 1}),
        ({"user": "u"}, {"metadata": {"user_id": "u"}}),
        ({"user": "u", "safety_identifier": "s"}, {"metadata": {"user_id": "s"}}),
        ({"service_tier": "auto"}, {}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"response_format": {"type": "text"}}, {}),
        (
            {
                "n": 1,
                "logprobs": False,
                "top_logprobs": 0,
                "logit_bias": {},
                "presence_penalty": 0.0,
                "frequency_penalty": 0,
                "modalities": ["text"],
                "verbosity": "medium",
                "store": False,
                "metadata": {},
                "seed": None,
                "audio": None,
                "prompt_cache_key": "k",
                "prompt_cache_options": {"mode": "explicit"},
                "prompt_cache_retention": "24h",
                "stream_options": {"include_usage": True, "include_obfuscation": False},
            },
            {},
        ),
    ],
)
def test_plain_values_become_anthropics_or_ask_for_nothing(
    fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert translated(**fields) == {"messages": [HI], **expected}


@pytest.mark.parametrize(
    ("verbosity", "said"), [("low", "Answer briefly."), ("high", "Answer in detail.")]
)
def test_a_verbosity_is_told_after_all_other_instructions(verbosity: str, said: str) -> None:
    made = translated(messages=[{"role": "system", "content": "Be kind."}, HI], verbosity=verbosity)
    assert [block["text"] for block in made["system"]] == ["Be kind.", said]
    # What is added must be within the bound, which counts the request's own bytes.
    assert len(said) <= len(f'"verbosity":"{verbosity}"')


def test_a_schema_is_closed_in_depth_and_keeps_every_keyword() -> None:
    schema = {
        "$defs": {"pet": {"type": "object", "properties": {"age": {"minimum": 1}}}},
        "anyOf": [{"properties": {"a": {"$ref": "#/$defs/pet"}}, "additionalProperties": True}],
        "properties": {"map": {"type": "object", "additionalProperties": {"type": "string"}}},
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "pets", "schema": schema}}
    made = translated(response_format=wanted)["output_config"]["format"]["schema"]
    assert made == {
        "$defs": {
            "pet": {
                "type": "object",
                "properties": {"age": {"minimum": 1}},
                "additionalProperties": False,
            }
        },
        "anyOf": [{"properties": {"a": {"$ref": "#/$defs/pet"}}, "additionalProperties": False}],
        "properties": {"map": {"type": "object", "additionalProperties": {"type": "string"}}},
        "additionalProperties": False,
    }


def _said(**message: Any) -> dict[str, Any]:
    return {"messages": [HI, {"role": "assistant", "content": "a", **message}]}


def _shown(part: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [part]}]}


def _image(**image: Any) -> dict[str, Any]:
    return _shown({"type": "image_url", "image_url": {"url": IMAGE, **image}})


def _file(**file: Any) -> dict[str, Any]:
    return _shown({"type": "file", "file": file})


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"presence_penalty": 0.1}, "presence_penalty"),
        ({"frequency_penalty": -1}, "frequency_penalty"),
        ({"seed": 0}, "seed"),
        ({"audio": {"voice": "alloy"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"prediction": {"type": "content", "content": "x"}}, "prediction"),
        ({"verbosity": "terse"}, "verbosity"),
        ({"store": True}, "store"),
        ({"metadata": {"a": "b"}}, "metadata"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"temperature": 1.1}, "temperature"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
        ({"stream_options": {"more": 1}}, "stream_options.more"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"response_format": {"type": "text", "x": 1}}, "response_format.x"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"reasoning": {"summary": "auto"}}, "reasoning.summary"),
        ({"reasoning": {"effort": "low"}, "reasoning_effort": "low"}, "reasoning"),
        ({"thinking": {"type": "disabled"}, "reasoning_effort": "low"}, "thinking"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
        (
            {"tools": [{"type": "function", "function": {"name": "x", "y": 1}}]},
            "tools[0].function.y",
        ),
        ({"tools": [{**TOOL, "z": 1}]}, "tools[0].z"),
        ({"tools": [TOOL], "tool_choice": "maybe"}, "tool_choice"),
        (
            {"tools": [TOOL], "tool_choice": _allowing("none", "look")},
            "tool_choice.allowed_tools.mode",
        ),
        ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{**HI, "name": "bob"}]}, "messages[0].name"),
        (_said(audio={"id": "x"}), "messages[1].audio"),
        (_said(function_call={"name": "f", "arguments": "{}"}), "messages[1].function_call"),
        (_said(thinking_blocks=[{"type": "other"}]), "messages[1].thinking_blocks[0].type"),
        (_said(tool_calls=[{"id": "a", "type": "custom"}]), "messages[1].tool_calls[0].type"),
        (_said(content=[{"type": "image_url"}]), "messages[1].content[0].type"),
        (_shown({"type": "input_audio", "input_audio": {}}), "messages[0].content[0].type"),
        (_shown({"type": "text", "text": "a", "b": 1}), "messages[0].content[0].b"),
        (_image(detail="low"), "messages[0].content[0].image_url.detail"),
        (_image(url="data:image/tiff;base64,aGk="), "messages[0].content[0]"),
        (_file(file_data="data:application/zip;base64,aGk="), "messages[0].content[0]"),
        (_file(file_id="file-1", file_data=IMAGE), "messages[0].content[0].file.file_id"),
        (_file(file_id="file-1"), "messages[0].content[0].file.file_id"),
    ],
)
def test_what_anthropic_cannot_do_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        translated(**fields)
    assert caught.value.param == param
    assert param in caught.value.message


def _call(**function: Any) -> dict[str, Any]:
    return _said(tool_calls=[{"id": "a", "type": "function", "function": function}])


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "alone"}]}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        (_call(name="f", arguments="{"), "messages[1].tool_calls[0].function.arguments"),
        (_call(name="f", arguments="[1]"), "messages[1].tool_calls[0].function.arguments"),
        (_call(name="f", arguments='{"a":1e999}'), "messages[1].tool_calls[0].function.arguments"),
        (_call(arguments="{}"), "messages[1].tool_calls[0].function.name"),
        (_image(url="ftp://example.com"), "messages[0].content[0].image_url.url"),
        (_image(url="data:image/png,plain"), "messages[0].content[0].image_url.url"),
        (_file(filename="a.pdf"), "messages[0].content[0].file.file_data"),
        (_file(file_data="data:text/plain;base64,/w=="), "messages[0].content[0]"),
        (_shown({"type": "image_url"}), "messages[0].content[0].image_url"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tool_choice": "required"}, "tool_choice"),
        (
            {"tools": [TOOL], "tool_choice": {"type": "allowed_tools"}},
            "tool_choice.allowed_tools",
        ),
        ({"tools": [TOOL], "tool_choice": _allowing("required", "other")}, "tool_choice"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_k": True}, "top_k"),
        ({"stop": [1]}, "stop"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
    ],
)
def test_what_is_malformed_is_said_to_be(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        translated(**fields)
    assert not isinstance(caught.value, Untranslatable)
    assert caught.value.param == param
    assert param in caught.value.message
