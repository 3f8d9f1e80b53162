"""Messages for OpenAI, as any-llm's SDK translates them and as Bursar does.

What both do in the same way is compared; what they do differently, each on purpose, is listed where
it is evened out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from bursar.dialects.chat_wire import CHAT
from bursar.dialects.messages_to_chat import MessagesToChat
from bursar.dialects.request import Terms
from bursar.dialects.translator import Asked
from bursar.domain.errors import InvalidRequest
from tests.fakes.wire_files import wire_events, wire_json
from tests.published_clients.environments import ORACLE
from tests.published_clients.oracle import Case, Oracle, Outcome, by_name, each_of

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = ORACLE.needed

MODEL = "gpt-5"
OPENAI = Oracle("amessages", "openai", "/v1")
HI: Final = {"role": "user", "content": "hi"}
IMAGE: Final = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "aGk="},
}
LINK: Final = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
SCHEMA: Final = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS: Final = [
    {"name": "get_weather", "description": "Weather", "input_schema": SCHEMA},
    {"name": "get_time", "input_schema": {"type": "object", "properties": {}}},
]
CALLS: Final = [
    {"type": "tool_use", "id": "toolu_a", "name": "get_weather", "input": {"city": "Rome"}},
    {"type": "tool_use", "id": "toolu_b", "name": "get_time", "input": {}},
]
RESULTS: Final = [
    {"type": "tool_result", "tool_use_id": "toolu_a", "content": "rain"},
    {
        "type": "tool_result",
        "tool_use_id": "toolu_b",
        "content": [{"type": "text", "text": "broken"}],
        "is_error": True,
    },
]


def _case(name: str, answer: str = "text.answer.json", **request: Any) -> Case:
    request = {"messages": [HI], "max_tokens": 4_000, **request}
    return Case(name, request, f"chat/{answer}", MODEL)


def _recorded(name: str) -> dict[str, Any]:
    request: dict[str, Any] = wire_json(f"messages/{name}.request.json")
    return {field: value for field, value in request.items() if field not in {"model", "stream"}}


CASES: Final = [
    _case("a question"),
    _case("a streamed question", "text.sse"),
    _case("a recorded question", **_recorded("text")),
    _case("recorded calls of tools", "tools.answer.json", **_recorded("tools")),
    _case("streamed calls of tools", "tools.sse", tools=TOOLS),
    _case("settings", temperature=0.5, top_p=0.25, stop_sequences=["END", "STOP"]),
    _case("instructions", system="be brief"),
    _case("instructions in a block", system=[{"type": "text", "text": "be brief"}]),
    _case(
        "an image", messages=[{"role": "user", "content": [IMAGE, {"type": "text", "text": "?"}]}]
    ),
    _case("a linked image", messages=[{"role": "user", "content": [LINK]}]),
    _case("any tool", "tools.answer.json", tools=TOOLS, tool_choice={"type": "any"}),
    _case("no tool", tools=TOOLS, tool_choice={"type": "none"}),
    _case(
        "one tool and no other",
        tools=TOOLS,
        tool_choice={"type": "tool", "name": "get_time", "disable_parallel_tool_use": True},
    ),
    _case(
        "results of tools",
        tools=TOOLS,
        messages=[
            HI,
            {"role": "assistant", "content": [{"type": "text", "text": "Wait."}, *CALLS]},
            {"role": "user", "content": RESULTS},
        ],
    ),
    _case(
        "results of tools and a text",
        tools=TOOLS,
        messages=[
            HI,
            {"role": "assistant", "content": CALLS},
            {"role": "user", "content": [*RESULTS, {"type": "text", "text": "And?"}]},
        ],
    ),
    _case("a big budget", thinking={"type": "enabled", "budget_tokens": 24_576}, max_tokens=30_000),
    _case("a small budget", thinking={"type": "enabled", "budget_tokens": 2_048}),
]
REFUSED: Final = [
    _case("a container", container="container_1"),
]


@pytest.fixture(scope="module")
def asked() -> dict[str, Outcome]:
    return by_name(OPENAI, [*CASES, *REFUSED])


def _translator(case: Case) -> MessagesToChat:
    return MessagesToChat(Asked(f"openai:{case.model}", wants_usage=False, created_s=0))


@each_of(CASES)
def test_openai_is_sent_the_same(case: Case, asked: dict[str, Outcome]) -> None:
    translated = _translator(case).request({**case.request, "model": f"openai:{case.model}"})
    terms = Terms(case.model, limit_field="max_completion_tokens")
    sent = CHAT.settle_terms(translated, terms, case.is_streamed)
    assert asked[case.name].raised is None, asked[case.name].says
    assert _evened(sent) == _evened(asked[case.name].sent or {})


@each_of(CASES)
def test_the_caller_gets_the_same(case: Case, asked: dict[str, Outcome]) -> None:
    translator = _translator(case)
    if case.is_streamed:
        stream = translator.stream()
        events = [each for chunk in wire_events(case.answer) for each in stream.event(chunk)]
        ours = _told_by_events([*events, *stream.end()])
        theirs = _told_by_events(asked[case.name].answer)
    else:
        ours = _told(translator.answer(wire_json(case.answer)))
        theirs = _told(asked[case.name].answer)
    assert ours == theirs


@each_of(REFUSED)
def test_neither_sends_what_openai_cannot_do(case: Case, asked: dict[str, Outcome]) -> None:
    assert asked[case.name].raised is not None
    assert asked[case.name].sent is None
    with pytest.raises(InvalidRequest):
        _translator(case).request(dict(case.request))


def _evened(sent: dict[str, Any]) -> dict[str, Any]:
    """A request without what the two say differently."""
    evened = {**sent, "messages": [_evened_message(message) for message in sent["messages"]]}
    # any-llm describes a tool that has no description by an empty one.
    functions = [{"description": "", **tool["function"]} for tool in sent.get("tools", [])]
    return {**evened, "tools": functions}


def _evened_message(message: dict[str, Any]) -> dict[str, Any]:
    """Content that is one text may be a string, and arguments have spaces or none."""
    evened = dict(message)
    content = evened.get("content")
    if isinstance(content, list) and [part["type"] for part in content] == ["text"]:
        evened["content"] = content[0]["text"]
    evened["content"] = evened.get("content") or None
    evened["tool_calls"] = [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in evened.get("tool_calls") or []
    ]
    return evened


def _told(message: dict[str, Any]) -> dict[str, Any]:
    """What a message tells its caller; Bursar names the model as it was asked for."""
    told = {name: message[name] for name in ("id", "type", "role", "content", "stop_reason")}
    return {**told, "usage": _evened_usage(message["usage"])}


def _told_by_events(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What a stream tells its caller, wherever a block ends among the others."""
    message: dict[str, Any] = {}
    arguments: dict[int, str] = {}
    for event in events:
        if event["type"] == "message_start":
            message = dict(event["message"])
        elif event["type"] == "content_block_start":
            assert event["index"] == len(message["content"])
            message["content"] = [*message["content"], dict(event["content_block"])]
        elif event["type"] == "content_block_delta":
            block, delta = message["content"][event["index"]], event["delta"]
            if delta["type"] == "input_json_delta":
                known = arguments.get(event["index"], "")
                arguments[event["index"]] = known + delta["partial_json"]
                continue
            for name in delta.keys() - {"type"}:
                block[name] = block.get(name, "") + delta[name]
        elif event["type"] == "message_delta":
            message |= event["delta"]
            message["usage"] = event["usage"]
    for index, text in arguments.items():
        message["content"][index]["input"] = json.loads(text)
    return _told(message)


def _evened_usage(usage: dict[str, Any]) -> dict[str, Any]:
    """any-llm says neither how much was reasoning nor in which tier it was served."""
    left_out = {"output_tokens_details", "service_tier"}
    return {name: value for name, value in usage.items() if value and name not in left_out}
