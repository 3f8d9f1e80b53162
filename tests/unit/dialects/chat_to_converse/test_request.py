"""What a chat request becomes for Bedrock, held against botocore's model of the service."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from bursar.dialects.chat_to_converse import ChatToConverse
from bursar.dialects.translator import Asked, Untranslatable
from bursar.domain.errors import InvalidRequest
from tests.fakes.wire_files import wire_json

HI = {"role": "user", "content": "hi"}
TURN = {"role": "user", "content": [{"text": "hi"}]}
TOOL = {"type": "function", "function": {"name": "look"}}
SPEC = {"name": "look", "inputSchema": {"json": {"type": "object", "properties": {}}}}
CALL: dict[str, Any] = {
    "role": "assistant",
    "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    ],
}
RESULT = {"role": "tool", "tool_call_id": "a", "content": "seen"}
CACHED = {"cache_control": {"type": "ephemeral"}}
POINT = {"cachePoint": {"type": "default"}}
PDF = "data:application/pdf;base64,JVBERi0="

_SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")


def translated(model: str = "amazon.nova-pro-v1:0", /, **fields: Any) -> dict[str, Any]:
    asked = Asked(f"bedrock:{model}", wants_usage=False, created_s=0)
    made = ChatToConverse(asked).request({"messages": [HI], **fields})
    _hold(made)
    return made


def _hold(request: dict[str, Any]) -> None:
    """That AWS's own description of the service has no fault to find."""
    shape = _SERVICE.operation_model("ConverseStream").input_shape
    report = ParamValidator().validate({"modelId": "amazon.nova-pro-v1:0", **request}, shape)
    assert not report.has_errors(), report.generate_report()


def _user(*parts: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


def test_a_whole_agents_conversation_becomes_one_of_bedrocks() -> None:
    asked = Asked("bedrock:us.anthropic.claude", wants_usage=True, created_s=0)
    made = ChatToConverse(asked).request(wire_json("chat/agent.request.json"))
    assert made == wire_json("chat/agent.to-converse.json")
    _hold(made)


def test_model_and_stream_are_left_to_the_url() -> None:
    assert translated(model="bedrock:x", stream=True) == {"messages": [TURN]}


def test_neighbours_of_one_role_become_one_turn() -> None:
    made = translated(
        messages=[HI, HI, CALL, RESULT, {**RESULT, "is_error": True}, HI], tools=[TOOL]
    )
    first, call, last = made["messages"]
    assert first["content"] == [{"text": "hi"}, {"text": "hi"}]
    assert call["role"] == "assistant"
    result = {"toolUseId": "a", "content": [{"text": "seen"}]}
    assert last["content"] == [
        {"toolResult": result},
        {"toolResult": {**result, "status": "error"}},
        {"text": "hi"},
    ]


def test_ids_that_bedrock_refuses_are_replaced_in_both_places() -> None:
    long = "call_" + "x" * 80
    call = {**CALL["tool_calls"][0], "id": long}
    made = translated(
        messages=[HI, {**CALL, "tool_calls": [call]}, {**RESULT, "tool_call_id": long}],
        tools=[TOOL],
    )
    (used,), (result,) = (turn["content"] for turn in made["messages"][1:])
    assert used["toolUse"]["toolUseId"] == result["toolResult"]["toolUseId"]
    assert used["toolUse"]["toolUseId"].startswith("call_xxx")


def test_what_is_to_be_cached_is_marked_behind_it() -> None:
    hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    text = {"type": "text", "text": "t", **CACHED}
    made = translated(
        messages=[
            {"role": "system", "content": "s", **hour},
            {"role": "user", "content": [text, {"type": "text", "text": "u"}]},
            {**CALL, **CACHED},
            {**RESULT, "content": [text]},
        ],
        tools=[{**TOOL, **CACHED}, TOOL],
    )
    assert made["system"] == [{"text": "s"}, {"cachePoint": {"type": "default", "ttl": "1h"}}]
    asked, called, answered = (turn["content"] for turn in made["messages"])
    assert asked == [{"text": "t"}, POINT, {"text": "u"}]
    assert called[1] == POINT
    assert answered == [{"toolResult": {"toolUseId": "a", "content": [{"text": "t"}]}}, POINT]
    assert made["toolConfig"]["tools"] == [{"toolSpec": SPEC}, POINT, {"toolSpec": SPEC}]


def test_documents_have_names_that_bedrock_takes_and_that_differ() -> None:
    files = [
        {"type": "file", "file": {"file_data": PDF, **name}}
        for name in (
            {"filename": "Q3/report_(final).pdf"},
            {},
            {},
            {"filename": "../.."},
            {"filename": "é" * 300},
            {"filename": "a" * 300},
            {"filename": "b" * 179 + " b"},
            {"filename": "b" * 179 + " b"},
        )
    ]
    (turn,) = translated(**_user(*files))["messages"]
    names = [block["document"]["name"] for block in turn["content"]]
    assert names[:5] == [
        "Q3 report (final) pdf",
        "document",
        "document (2)",
        "document (3)",
        "document (4)",
    ]
    assert len(names[5]) <= 200
    assert names[6:] == ["b" * 179, "b" * 179 + " (2)"]


@pytest.mark.parametrize(
    ("media_type", "kind", "known_as"),
    [
        ("image/png", "image", "png"),
        ("image/jpg", "image", "jpeg"),
        ("image/webp", "image", "webp"),
        ("image/gif", "image", "gif"),
        ("text/plain", "document", "txt"),
        ("text/markdown", "document", "md"),
        ("text/csv", "document", "csv"),
        (
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "document",
            "docx",
        ),
    ],
)
def test_bytes_are_sent_with_their_format(media_type: str, kind: str, known_as: str) -> None:
    url = f"data:{media_type};base64,aGk="
    part = (
        {"type": "image_url", "image_url": {"url": url}}
        if kind == "image"
        else {"type": "file", "file": {"file_data": url}}
    )
    (block,) = translated(**_user(part))["messages"][0]["content"]
    assert block[kind]["format"] == known_as
    assert block[kind]["source"] == {"bytes": "aGk="}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"tools": [{"toolSpec": SPEC}]}),
        ({"tool_choice": "auto"}, {"tools": [{"toolSpec": SPEC}], "toolChoice": {"auto": {}}}),
        ({"tool_choice": "required"}, {"tools": [{"toolSpec": SPEC}], "toolChoice": {"any": {}}}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "look"}}},
            {"tools": [{"toolSpec": SPEC}], "toolChoice": {"tool": {"name": "look"}}},
        ),
        ({"tool_choice": "none"}, None),
    ],
)
def test_the_choice_among_tools_is_said_in_bedrocks_words(
    fields: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    made = translated(tools=[TOOL], parallel_tool_calls=True, **fields)
    assert made.get("toolConfig") == expected


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        ("openai.gpt-oss-120b-1:0", "minimal", {"outputConfig": {"effort": "low"}}),
        ("us.anthropic.claude-opus-4-6", "max", {"outputConfig": {"effort": "max"}}),
        ("us.amazon.nova-2-lite-v1:0", "low", {"type": "enabled", "maxReasoningEffort": "low"}),
        ("us.amazon.nova-2-lite-v1:0", "xhigh", {"type": "enabled", "maxReasoningEffort": "high"}),
        ("us.amazon.nova-2-lite-v1:0", "none", {"type": "disabled"}),
        ("us.amazon.nova-2-lite-v1:0", "auto", None),
    ],
)
def test_effort_is_asked_for_in_the_way_the_model_knows(
    model: str, effort: str, expected: dict[str, Any] | None
) -> None:
    made = translated(model, reasoning_effort=effort)
    del made["messages"]
    if expected and "outputConfig" not in expected:
        expected = {"additionalModelRequestFields": {"reasoningConfig": expected}}
    assert made == (expected or {})
    assert translated(model, reasoning={"effort": effort}) == {"messages": [TURN], **made}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_tokens": 5}, {"inferenceConfig": {"maxTokens": 5}}),
        ({"stop": "END"}, {"inferenceConfig": {"stopSequences": ["END"]}}),
        ({"temperature": 0, "top_p": 1}, {"inferenceConfig": {"temperature": 0, "topP": 1}}),
        ({"metadata": {"team": "a"}}, {"requestMetadata": {"team": "a"}}),
        ({"metadata": {}}, {}),
        ({"user": "u", "safety_identifier": "s"}, {}),
        ({"service_tier": "auto"}, {}),
        ({"service_tier": "flex"}, {"serviceTier": {"type": "flex"}}),
        ({"tools": []}, {}),
        ({"stream_options": {"include_usage": True}}, {}),
    ],
)
def test_plain_values_become_bedrocks_or_ask_for_nothing(
    fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert translated(**fields) == {"messages": [TURN], **expected}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"seed": 1}, "seed"),
        ({"top_k": 5}, "top_k"),
        ({"thinking": {"type": "disabled"}}, "thinking"),
        ({"cache_control": {"type": "ephemeral"}}, "cache_control"),
        ({"temperature": 1.5}, "temperature"),
        ({"service_tier": "scale"}, "service_tier"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"tools": [TOOL], "parallel_tool_calls": False}, "parallel_tool_calls"),
        (
            {"tools": [TOOL], "tool_choice": "none", "messages": [HI, CALL, RESULT]},
            "tool_choice",
        ),
        ({"reasoning": {"max_tokens": 9}}, "reasoning"),
        ({"reasoning": {"effort": "low", "exclude": True}}, "reasoning"),
        (
            _user({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}),
            "messages[0].content[0]",
        ),
        (
            _user({"type": "file", "file": {"file_data": "data:application/zip;base64,aGk="}}),
            "messages[0].content[0]",
        ),
        (
            _user({"type": "text", "text": "t", "cache_control": {"type": "persistent"}}),
            "messages[0].content[0].cache_control",
        ),
        (
            {"tools": [{**TOOL, "cache_control": {"type": "ephemeral", "x": 1}}]},
            "tools.cache_control",
        ),
        ({"messages": [HI, CALL, RESULT]}, "tools"),
        ({"messages": [HI, CALL, RESULT], "tools": []}, "tools"),
        ({"messages": [{**HI, "name": "bob"}]}, "messages[0].name"),
    ],
)
def test_what_bedrock_cannot_do_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        translated(**fields)
    assert caught.value.param == param
    assert param in caught.value.message


@pytest.mark.parametrize("effort", ["none"])
def test_reasoning_that_cannot_be_turned_off_is_said_to_be(effort: str) -> None:
    with pytest.raises(Untranslatable, match="'none'"):
        translated("openai.gpt-oss-120b-1:0", reasoning_effort=effort)


def test_what_is_malformed_is_said_to_be() -> None:
    with pytest.raises(InvalidRequest, match="messages"):
        translated(messages=[])
