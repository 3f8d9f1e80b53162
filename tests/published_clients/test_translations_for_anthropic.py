"""Chats for Anthropic, as any-llm's SDK translates them and as Bursar does.

What both do in the same way is compared; what they do differently, each on purpose, is listed where
it is evened out.
"""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from bursar.dialects.chat_to_messages import ChatToMessages
from bursar.dialects.messages_wire import MESSAGES
from bursar.dialects.request import Terms
from bursar.dialects.translator import Asked
from bursar.domain.errors import InvalidRequest
from tests.fakes.wire_files import wire_events, wire_json
from tests.published_clients.environments import ORACLE
from tests.published_clients.oracle import (
    Case,
    Oracle,
    Outcome,
    by_name,
    each_of,
    outcomes,
    provided,
)
from tests.published_clients.told import told, told_by_chunks

pytestmark = ORACLE.needed

MODEL = "claude-sonnet-4-6"
ANTHROPIC = Oracle("acompletion", "anthropic")
HI: Final = {"role": "user", "content": "hi"}
IMAGE: Final = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
LINK: Final = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
PDF: Final = {"type": "file", "file": {"file_data": "data:application/pdf;base64,aGk="}}
SCHEMA: Final = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS: Final = [
    {
        "type": "function",
        "function": {"name": "get_weather", "description": "Weather", "parameters": SCHEMA},
    },
    {"type": "function", "function": {"name": "get_time"}},
]
CALLS: Final = [
    {
        "id": f"call_{name}",
        "type": "function",
        "function": {"name": f"get_{name}", "arguments": arguments},
    }
    for name, arguments in (("weather", '{"city": "Rome", "days": [1, 2]}'), ("time", "{}"))
]
RESULTS: Final = [
    {"role": "tool", "tool_call_id": call["id"], "content": f"result of {call['id']}"}
    for call in CALLS
]


def _case(name: str, answer: str = "text.answer.json", model: str = MODEL, **request: Any) -> Case:
    return Case(name, {"messages": [HI], **request}, f"messages/{answer}", model)


def _conversation(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [HI, *messages, HI]}


CASES: Final = [
    _case("a question"),
    _case("a streamed question", "text.sse"),
    _case(
        "settings",
        max_tokens=77,
        temperature=0.5,
        top_p=0.25,
        stop=["END", "STOP"],
        service_tier="auto",
    ),
    _case("one stop", stop="END"),
    _case(
        "instructions in several places",
        messages=[{"role": "system", "content": "a"}, HI, {"role": "system", "content": "b"}, HI],
    ),
    _case(
        "an image", messages=[{"role": "user", "content": [{"type": "text", "text": "?"}, IMAGE]}]
    ),
    _case("a linked image", messages=[{"role": "user", "content": [LINK]}]),
    _case("a file", messages=[{"role": "user", "content": [PDF, {"type": "text", "text": "?"}]}]),
    _case(
        "a marked text",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}},
                    {"type": "text", "text": "short"},
                ],
            }
        ],
    ),
    _case("calls of tools", "tools.answer.json", tools=TOOLS),
    _case("streamed calls of tools", "tools.sse", tools=TOOLS),
    _case("any tool", "tools.answer.json", tools=TOOLS, tool_choice="required"),
    _case("no tool", tools=TOOLS, tool_choice="none"),
    _case(
        "one tool and no other",
        "tools.answer.json",
        tools=TOOLS,
        tool_choice={"type": "function", "function": {"name": "get_time"}},
        parallel_tool_calls=False,
    ),
    _case("one tool at a time", tools=TOOLS, parallel_tool_calls=False),
    _case("tools at once", tools=TOOLS, parallel_tool_calls=True),
    _case(
        "results of tools",
        tools=TOOLS,
        **_conversation({"role": "assistant", "content": None, "tool_calls": CALLS}, *RESULTS),
    ),
    _case(
        "results of tools after a text",
        tools=TOOLS,
        **_conversation({"role": "assistant", "content": "Wait.", "tool_calls": CALLS}, *RESULTS),
    ),
    _case(
        "one call after the other",
        tools=TOOLS,
        **_conversation(
            {"role": "assistant", "content": "", "tool_calls": CALLS[:1]},
            RESULTS[0],
            {"role": "assistant", "content": "", "tool_calls": CALLS[1:]},
            RESULTS[1],
        ),
    ),
    _case(
        "signed reasoning sent back",
        **_conversation(
            {
                "role": "assistant",
                "content": "42",
                "reasoning": "hm",
                "extra_content": {"anthropic": {"signature": "sig"}},
            }
        ),
    ),
    _case(
        "signed reasoning sent back with a call",
        tools=TOOLS,
        **_conversation(
            {
                "role": "assistant",
                "content": "Wait.",
                "reasoning_content": "hm",
                "extra_content": {"anthropic": {"signature": "sig"}},
                "tool_calls": CALLS[:1],
            },
            RESULTS[0],
        ),
    ),
    _case("reasoning", "thinking.sse", reasoning_effort="medium"),
    *(
        _case(f"{effort} effort of {model}", model=model, reasoning_effort=effort, max_tokens=8_000)
        for effort in ("minimal", "low", "high", "xhigh", "max", "none", "auto")
        for model in (
            MODEL,
            "claude-opus-4-5-20251101",
            "claude-sonnet-4-5",
            "claude-haiku-4-5-20251001",
            "claude-opus-4-1-20250805",
            "claude-opus-4-20250514",
            "claude-sonnet-4-0",
            "claude-3-7-sonnet-latest",
            "claude-opus-5",
        )
    ),
    _case(
        "an answer of a schema",
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
    ),
    _case(
        "an answer of a schema with an effort",
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
        reasoning_effort="low",
    ),
]
REFUSED: Final = [
    _case("any JSON", response_format={"type": "json_object"}),
    _case(
        "no room for reasoning", model="claude-haiku-4-5", reasoning_effort="low", max_tokens=2_000
    ),
    _case(
        "arguments that are no JSON",
        **_conversation(
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{"}}
                ],
            }
        ),
    ),
    _case("several answers", n=2),
    _case("a seed", seed=1),
    _case("probabilities", logprobs=True),
]


@pytest.fixture(scope="module")
def asked() -> dict[str, Outcome]:
    return by_name(ANTHROPIC, [*CASES, *REFUSED])


def _translator(case: Case) -> ChatToMessages:
    return ChatToMessages(Asked(f"anthropic:{case.model}", wants_usage=True, created_s=0))


@each_of(CASES)
def test_anthropic_is_sent_the_same(case: Case, asked: dict[str, Outcome]) -> None:
    translated = _translator(case).request({**case.request, "model": f"anthropic:{case.model}"})
    sent = MESSAGES.settle_terms(
        translated, Terms(case.model, output_tokens_max=8_192), case.is_streamed
    )
    assert asked[case.name].raised is None, asked[case.name].says
    assert _evened(sent) == _evened(asked[case.name].sent or {})


@each_of(CASES)
def test_the_caller_gets_the_same(case: Case, asked: dict[str, Outcome]) -> None:
    translator = _translator(case)
    if case.is_streamed:
        stream = translator.stream()
        chunks = [each for event in wire_events(case.answer) for each in stream.event(event)]
        ours = told_by_chunks([*chunks, *stream.end()])
        theirs = told_by_chunks(asked[case.name].answer)
    else:
        ours = told(translator.answer(wire_json(case.answer)))
        theirs = told(asked[case.name].answer)
    assert ours == theirs


@each_of(REFUSED)
def test_neither_sends_what_anthropic_cannot_do(case: Case, asked: dict[str, Outcome]) -> None:
    assert asked[case.name].raised is not None
    assert asked[case.name].sent is None
    with pytest.raises(InvalidRequest):
        _translator(case).request(dict(case.request))


def test_signed_reasoning_survives_the_sdk_as_a_client_of_the_gateway() -> None:
    """It keeps what Bursar adds to a message, and sends it back with the next request."""
    translator = ChatToMessages(Asked("anthropic:claude", wants_usage=True, created_s=0))
    stream = wire_events("messages/thinking.sse")
    block = {"type": "thinking", "thinking": "12,231 + 453 = 12,684", "signature": "EqQB"}
    answer = {
        **stream[0]["message"],
        "content": [block, {"type": "text", "text": "12,684"}],
        "stop_reason": "end_turn",
    }
    completion = json.dumps(translator.answer(answer))
    client = Oracle("acompletion", "openai", "/v1")
    call = client.call(Case("a question", {"messages": [HI]}, "chat/text.answer.json", "claude"))
    call["answer"] = provided(completion.encode())
    (first,) = outcomes([call])
    message = first.answer["choices"][0]["message"]
    call["arguments"]["messages"] = [HI, message, HI]
    (second,) = outcomes([call])
    sent = translator.request(second.sent or {})
    assert sent["messages"][1]["content"] == [block, {"type": "text", "text": "12,684"}]


def _evened(sent: dict[str, Any]) -> dict[str, Any]:
    """A request without what the two say differently."""
    evened = {name: value for name, value in sent.items() if name not in {"system", "tools"}}
    system = sent.get("system", "")
    # Bursar keeps each instruction a block of its own, which can be marked; any-llm joins them.
    evened["system"] = system if isinstance(system, str) else "\n".join(b["text"] for b in system)
    evened["tools"] = [_evened_tool(tool) for tool in sent.get("tools", [])]
    choice = dict(sent.get("tool_choice", {}))
    # any-llm says explicitly what happens anyway.
    if choice.get("disable_parallel_tool_use") is False:
        del choice["disable_parallel_tool_use"]
    evened["tool_choice"] = None if choice in ({}, {"type": "auto"}) else choice
    evened["messages"] = [_evened_turn(turn) for turn in sent["messages"]]
    evened.pop("service_tier", None)  # "auto" is what happens anyway
    return evened


def _evened_tool(tool: dict[str, Any]) -> dict[str, Any]:
    """any-llm adds an empty description, and says of no parameter that it is required."""
    schema = {"required": [], **tool["input_schema"]}
    return {"description": "", **tool, "input_schema": schema}


def _evened_turn(turn: dict[str, Any]) -> dict[str, Any]:
    content = turn["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return {**turn, "content": blocks}
