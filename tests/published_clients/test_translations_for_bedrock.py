"""Chats for Bedrock's Converse, as any-llm's SDK translates them and as Bursar does.

The SDK's requests are sent, and its answers read, by AWS's own client. What both do in the same way
is compared; what they do differently, each on purpose, is listed where it is evened out. Reasoning
and answers of a schema are not compared: any-llm asks for them in Claude's own words, or by a tool
that nobody has, where Converse has fields of its own.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from bursar.dialects.chat_to_converse import ChatToConverse
from bursar.dialects.converse_wire import CONVERSE
from bursar.dialects.request import Terms
from bursar.dialects.translator import Asked
from bursar.domain.errors import InvalidRequest
from tests.fakes.wire_files import wire_bytes, wire_json
from tests.published_clients.environments import ORACLE
from tests.published_clients.oracle import Case, Oracle, Outcome, by_name, each_of
from tests.published_clients.told import told, told_by_chunks

pytestmark = ORACLE.needed

MODEL = "amazon.nova-pro-v1:0"
BEDROCK = Oracle(
    "acompletion",
    "bedrock",
    credentials={
        "aws_access_key_id": "none",
        "aws_secret_access_key": "none",
        "region_name": "us-east-1",
    },
)
HI: Final = {"role": "user", "content": "hi"}
IMAGE: Final = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
LINK: Final = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
TOOLS: Final = [
    {
        "type": "function",
        "function": {
            "name": f"get_{name}",
            "description": f"The {name}",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
    for name in ("weather", "time")
]
CALLS: Final = [
    {
        "id": f"call_{name}",
        "type": "function",
        "function": {"name": f"get_{name}", "arguments": '{"city": "Rome"}'},
    }
    for name in ("weather", "time")
]
RESULTS: Final = [
    {"role": "tool", "tool_call_id": call["id"], "content": f"result of {call['id']}"}
    for call in CALLS
]


def _case(name: str, answer: str = "text.answer.json", **request: Any) -> Case:
    return Case(name, {"messages": [HI], **request}, f"converse/{answer}", MODEL)


CASES: Final = [
    _case("a question"),
    _case("a streamed question", "text.eventstream"),
    _case("streamed reasoning", "thinking.eventstream"),
    _case("settings", max_tokens=77, temperature=0.5, top_p=0.25, stop=["END", "STOP"]),
    _case("instructions", messages=[{"role": "system", "content": "be brief"}, HI]),
    _case(
        "an image", messages=[{"role": "user", "content": [{"type": "text", "text": "?"}, IMAGE]}]
    ),
    _case("two questions", messages=[HI, HI]),
    _case("calls of tools", "tools.answer.json", tools=TOOLS),
    _case("streamed calls of tools", "tools.eventstream", tools=TOOLS),
    _case("any tool", "tools.answer.json", tools=TOOLS, tool_choice="required"),
    _case(
        "results of tools",
        tools=TOOLS,
        messages=[
            HI,
            {"role": "assistant", "content": "Wait.", "tool_calls": CALLS},
            *RESULTS,
            HI,
        ],
    ),
    _case(
        "one call after the other",
        tools=TOOLS,
        messages=[
            HI,
            {"role": "assistant", "content": None, "tool_calls": CALLS[:1]},
            RESULTS[0],
            {"role": "assistant", "content": None, "tool_calls": CALLS[1:]},
            RESULTS[1],
        ],
    ),
]
REFUSED: Final = [
    _case("a linked image", messages=[{"role": "user", "content": [LINK]}]),
    _case("any JSON", response_format={"type": "json_object"}),
]


@pytest.fixture(scope="module")
def asked() -> dict[str, Outcome]:
    return by_name(BEDROCK, [*CASES, *REFUSED])


def _translator(case: Case) -> ChatToConverse:
    return ChatToConverse(Asked(f"bedrock:{case.model}", wants_usage=True, created_s=0))


@each_of(CASES)
def test_bedrock_is_sent_the_same(case: Case, asked: dict[str, Outcome]) -> None:
    translated = _translator(case).request({**case.request, "model": f"bedrock:{case.model}"})
    sent = CONVERSE.settle_terms(translated, Terms(case.model), case.is_streamed)
    assert asked[case.name].raised is None, asked[case.name].says
    assert sent == asked[case.name].sent


@each_of(CASES)
def test_the_caller_gets_the_same(case: Case, asked: dict[str, Outcome]) -> None:
    translator = _translator(case)
    if case.is_streamed:
        stream, meter = translator.stream(), CONVERSE.stream_meter(False)  # noqa: FBT003
        frames = CONVERSE.splitter().feed(wire_bytes(case.answer))
        events = [event for frame in frames if (event := meter.take(frame)) is not None]
        chunks = [each for event in events for each in stream.event(event)]
        ours = told_by_chunks([*chunks, *stream.end()])
        theirs = told_by_chunks(asked[case.name].answer)
    else:
        ours = told(translator.answer(wire_json(case.answer)))
        theirs = told(asked[case.name].answer)
    assert _evened(ours) == theirs


@each_of(REFUSED)
def test_neither_sends_what_bedrock_cannot_do(case: Case, asked: dict[str, Outcome]) -> None:
    assert asked[case.name].raised is not None
    assert asked[case.name].sent is None
    with pytest.raises(InvalidRequest):
        _translator(case).request(dict(case.request))


def _evened(answer: dict[str, Any]) -> dict[str, Any]:
    """any-llm neither keeps signatures of Bedrock's nor says what was written to a cache."""
    details = answer["usage"]["prompt_tokens_details"]
    read = {name: count for name, count in details.items() if name == "cached_tokens"}
    return {**answer, "signature": "", "usage": {**answer["usage"], "prompt_tokens_details": read}}
