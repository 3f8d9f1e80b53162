"""From Messages to chat and on to Messages: chat carries everything between two translators."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.chat_to_messages import ChatToMessages
from bursar.dialects.messages_to_chat import MessagesToChat
from bursar.dialects.messages_to_chat.usage import messages_usage
from bursar.dialects.translator import Asked
from tests.fakes.wire_files import wire_events, wire_json

ASKED = Asked("anthropic:claude-sonnet-4-5", wants_usage=True, created_s=0)

_TEXT = st.text("ab ü🙂\n", min_size=1, max_size=6).filter(str.strip)
_CACHE = st.none() | st.sampled_from([{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}])
_INPUT = st.dictionaries(_TEXT, st.none() | st.integers() | _TEXT | st.lists(_TEXT), max_size=3)


def _marked(block: dict[str, Any], cache: dict[str, str] | None) -> dict[str, Any]:
    return block if cache is None else {**block, "cache_control": cache}


def _with_cache(blocks: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(_marked, blocks, _CACHE)


_TEXTS = _with_cache(st.fixed_dictionaries({"type": st.just("text"), "text": _TEXT}))
_SOURCES = st.sampled_from(
    [
        {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
        {"type": "url", "url": "https://a.example/b.png"},
    ]
)
_IMAGES = _with_cache(st.fixed_dictionaries({"type": st.just("image"), "source": _SOURCES}))
_PDFS = _with_cache(
    st.fixed_dictionaries(
        {
            "type": st.just("document"),
            "title": _TEXT,
            "source": st.just({"type": "base64", "media_type": "application/pdf", "data": "JVBE"}),
        }
    )
)
_SHOWN = st.lists(_TEXTS | _IMAGES | _PDFS, min_size=1, max_size=3)
_THOUGHT = st.lists(
    st.fixed_dictionaries(
        {"type": st.just("thinking"), "thinking": _TEXT, "signature": st.just("EqQB")}
    )
    | st.just({"type": "redacted_thinking", "data": "Emw"}),
    max_size=2,
)


@st.composite
def _conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Turns as Anthropic wants them: every call is answered in the next turn."""
    numbers = count()
    messages = [{"role": "user", "content": draw(_SHOWN)}]
    for _ in range(draw(st.integers(0, 3))):
        calls = [
            _marked(
                {"type": "tool_use", "id": f"t{number}", "name": "f", "input": draw(_INPUT)},
                draw(_CACHE),
            )
            for number in (next(numbers) for _ in range(draw(st.integers(0, 2))))
        ]
        said = draw(st.lists(_TEXTS, min_size=0 if calls else 1, max_size=2))
        messages.append({"role": "assistant", "content": [*draw(_THOUGHT), *said, *calls]})
        results = [
            _marked(
                {"type": "tool_result", "tool_use_id": call["id"], "content": draw(_SHOWN)}
                | draw(st.sampled_from([{}, {"is_error": True}])),
                draw(_CACHE),
            )
            for call in calls
        ]
        messages.append({"role": "user", "content": results or draw(_SHOWN)})
    return messages


_REQUESTS = st.fixed_dictionaries(
    {
        "max_tokens": st.integers(1, 10_000),
        "messages": _conversations(),
        "tools": st.just(
            [
                {
                    "name": "f",
                    "description": "d",
                    "input_schema": {"type": "object", "properties": {}},
                    "cache_control": {"type": "ephemeral"},
                }
            ]
        ),
    },
    optional={
        "system": st.lists(_TEXTS, min_size=1, max_size=2),
        "temperature": st.floats(0, 1),
        "top_p": st.floats(0, 1),
        "stop_sequences": st.lists(_TEXT, min_size=1, max_size=3),
        "metadata": st.just({"user_id": "ann"}),
        "service_tier": st.just("standard_only"),
        "tool_choice": st.sampled_from(
            [
                {"type": "auto"},
                {"type": "any", "disable_parallel_tool_use": True},
                {"type": "tool", "name": "f"},
                {"type": "none"},
            ]
        ),
        "cache_control": st.just({"type": "ephemeral"}),
    },
)


@given(_REQUESTS)
def test_a_request_comes_back_as_it_was(request_: dict[str, Any]) -> None:
    chat = MessagesToChat(ASKED).request({"model": "x", **request_})
    back = ChatToMessages(ASKED).request(chat)
    assert _evened(back) == _evened(request_)


def _evened(request_: dict[str, Any]) -> dict[str, Any]:
    """A request whose texts are blocks, those next to each other and not marked as one."""
    evened = {**request_, "messages": [_evened_message(each) for each in request_["messages"]]}
    if "system" in request_:
        evened["system"] = _evened_blocks(request_["system"], "\n\n")
    return evened


def _evened_message(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "content": _evened_blocks(message["content"], "")}


def _evened_blocks(content: Any, between: str) -> list[dict[str, Any]]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    texts = [block for block in blocks if block["type"] == "text"]
    is_plain = all(text.keys() == {"type", "text"} for text in texts)
    evened: list[dict[str, Any]] = []
    for block in blocks:
        if block["type"] == "tool_result":
            evened.append({**block, "content": _evened_blocks(block["content"], "\n")})
        elif is_plain and evened and evened[-1]["type"] == block["type"] == "text":
            evened[-1] = {**block, "text": evened[-1]["text"] + between + block["text"]}
        else:
            evened.append(block)
    return evened


@pytest.mark.parametrize("case", ["text", "tools"])
def test_an_answer_comes_back_as_it_was(case: str) -> None:
    answer = wire_json(f"messages/{case}.answer.json")
    completion = ChatToMessages(ASKED).answer(answer)
    back = MessagesToChat(ASKED).answer(completion)
    assert back == {**answer, "model": ASKED.model, "usage": back["usage"]}
    assert _counts(back["usage"]) == _counts(answer["usage"])


@pytest.mark.parametrize("case", ["text", "thinking", "tools"])
def test_a_stream_comes_back_as_it_was(case: str) -> None:
    events = wire_events(f"messages/{case}.sse")
    there, back = ChatToMessages(ASKED).stream(), MessagesToChat(ASKED).stream()
    chunks = [chunk for event in events for chunk in there.event(event)]
    chunks += there.end()
    returned = [event for chunk in chunks for event in back.event(chunk)]
    returned += back.end()
    assert _told(returned) == _told(events)


def _told(events: list[dict[str, Any]]) -> tuple[Any, ...]:
    """What a stream tells, however its blocks are cut into deltas."""
    blocks: list[dict[str, Any]] = []
    usage: dict[str, Any] = {}
    ended = []
    for event in events:
        usage |= event.get("usage") or event.get("message", {}).get("usage") or {}
        if event["type"] == "content_block_start":
            blocks.append({**event["content_block"], "partial_json": ""})
        elif event["type"] == "content_block_delta":
            ((field, value),) = ((k, v) for k, v in event["delta"].items() if k != "type")
            blocks[event["index"]][field] += value
        elif event["type"] == "message_delta":
            ended.append(event["delta"])
    for block in blocks:
        block["partial_json"] = block["partial_json"].replace(" ", "")
    return blocks, ended, _counts(usage)


def _counts(usage: dict[str, Any]) -> dict[str, Any]:
    names = messages_usage({"prompt_tokens": 1}).keys()
    return {name: usage.get(name, 0) for name in names}


def test_thinking_that_is_asked_for_comes_back_as_an_effort() -> None:
    request_ = {
        "model": "x",
        "max_tokens": 32_000,
        "messages": [{"role": "user", "content": "x"}],
        "thinking": {"type": "enabled", "budget_tokens": 20_000},
    }
    claude = replace(ASKED, upstream_model="claude-sonnet-4-5")
    back = ChatToMessages(claude).request(MessagesToChat(claude).request(request_))
    assert back["thinking"]["type"] == "enabled"
    assert back["thinking"]["budget_tokens"] < 32_000
