"""What chat carries between translators, as providers of chat take it."""

from __future__ import annotations

from typing import Any

import msgspec

from bursar.dialects.chat_plain import plain
from bursar.dialects.chat_wire import CHAT
from bursar.dialects.request import Terms

CACHE = {"type": "ephemeral"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,"}}
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "t", "type": "function", "cache_control": CACHE}],
}


def _text(text: str, **marks: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **marks}


def _tool(content: Any, call_id: str = "t", **marks: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content, **marks}


def _messages(*messages: dict[str, Any]) -> Any:
    before = msgspec.json.encode(messages)
    made = plain({"messages": list(messages)}, "max_tokens")["messages"]
    assert msgspec.json.encode(messages) == before
    return made


def test_a_plain_request_stays_as_it_is() -> None:
    document = {
        "messages": [{"role": "user", "content": "x"}, {"role": "developer", "content": "y"}],
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "field": {"cache_control": 1},
    }
    assert plain(document, "max_tokens") == document


def test_marks_of_the_cache_are_left_out_wherever_they_stand() -> None:
    document = {
        "messages": [
            {"role": "system", "content": [_text("a", cache_control=CACHE)]},
            {"role": "user", "content": [_text("b", cache_control=CACHE), IMAGE]},
            {**CALLED, "cache_control": CACHE},
            _tool([_text("c", cache_control=CACHE)], cache_control=CACHE),
        ],
        "tools": [{"type": "function", "cache_control": CACHE}],
        "cache_control": CACHE,
    }
    made = plain(document, "max_tokens")
    assert b"cache_control" not in msgspec.json.encode(made)
    assert [message["content"] for message in made["messages"]] == [
        "a",
        [_text("b"), IMAGE],
        None,
        "c",
    ]


def test_reasoning_of_another_vendor_is_left_out_and_the_models_own_stays() -> None:
    said = {"role": "assistant", "content": "x", "reasoning_content": "y"}
    assert _messages({**said, "thinking_blocks": [{"type": "thinking"}]}) == [said]


def test_texts_in_pieces_are_one_text_but_for_a_users() -> None:
    pieces = [_text("a"), _text("b")]
    made = _messages(
        {"role": "system", "content": pieces},
        {"role": "user", "content": pieces},
        {"role": "assistant", "content": pieces},
        _tool(pieces),
    )
    assert [message["content"] for message in made] == ["a\n\nb", pieces, "ab", "a\nb"]


def test_a_failed_tool_says_so_in_its_text() -> None:
    first, second, third = _messages(
        _tool("no such file", is_error=True), _tool("Error: no", is_error=True), _tool("fine")
    )
    assert first == _tool("Error: no such file")
    assert (second["content"], third["content"]) == ("Error: no", "fine")


def test_what_results_show_comes_after_the_last_of_them() -> None:
    made = _messages(
        CALLED,
        _tool([_text("see"), IMAGE], "t1"),
        _tool([FILE], "t2", is_error=True),
        {"role": "user", "content": "and?"},
    )
    assert [message["role"] for message in made] == ["assistant", "tool", "tool", "user"]
    assert [message["content"] for message in made[1:3]] == ["see", "Error: (shown below)"]
    assert made[3]["content"] == [
        _text("Shown by the tool's result t1:"),
        IMAGE,
        _text("Shown by the tool's result t2:"),
        FILE,
        _text("and?"),
    ]


def test_what_results_show_is_a_message_of_its_own_where_the_user_says_nothing() -> None:
    shown = [_text("Shown by the tool's result t:"), IMAGE]
    last = _messages(CALLED, _tool([IMAGE]))[-1]
    assert last == {"role": "user", "content": shown}
    made = _messages(CALLED, _tool([IMAGE]), {"role": "assistant", "content": "x"})
    assert made[2:] == [last, {"role": "assistant", "content": "x"}]


def _settled(document: dict[str, Any], **terms: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "x"}]
    settled = CHAT.settle_terms({"messages": messages, **document}, Terms("m", **terms), False)  # noqa: FBT003
    assert settled.pop("messages") == messages
    return settled


def test_the_output_limit_goes_under_the_name_that_the_provider_knows() -> None:
    assert _settled({"max_completion_tokens": 5}) == {"model": "m", "max_tokens": 5}
    field = "max_completion_tokens"
    assert _settled({"max_tokens": 5}, limit_field=field) == {"model": "m", field: 5}
    assert _settled({"max_completion_tokens": 5}, output_tokens=3) == {
        "model": "m",
        "max_tokens": 3,
    }
    assert _settled({}) == {"model": "m"}
