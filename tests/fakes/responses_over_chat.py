"""Responses requests on their way to a provider of chat, and what is expected of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bursar.dialects.responses_to_chat import ResponsesToChat
from bursar.dialects.translator import Asked, Untranslatable

if TYPE_CHECKING:
    from collections.abc import Iterable

MODEL = "deepseek:deepseek-reasoner"
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}
PNG = "data:image/png;base64,iVBORw0KGgo="


def translator() -> ResponsesToChat:
    return ResponsesToChat(Asked(MODEL, wants_usage=True, created_s=1))


def to_chat(**fields: Any) -> dict[str, Any]:
    document = {"model": MODEL, "input": "hello", **fields}
    return translator().request(document)


def messages_of(*items: Any, **fields: Any) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = to_chat(input=list(items), **fields)["messages"]
    return messages


def refused(**fields: Any) -> Untranslatable:
    with pytest.raises(Untranslatable) as raised:
        to_chat(**fields)
    return raised.value


def call(call_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "function_call",
        "call_id": call_id,
        "name": "f",
        "arguments": "{}",
        **fields,
    }


def result(call_id: str, output: Any = "ok") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def chat_call(call_id: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def said(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "role": "assistant", "content": content, "id": "m", "status": "x"}


def events_of(
    chunks: Iterable[dict[str, Any]], made: ResponsesToChat | None = None
) -> list[dict[str, Any]]:
    """The caller's events for a provider's stream."""
    stream = (made or translator()).stream()
    events = [event for chunk in chunks for event in stream.event(chunk)]
    return [*events, *stream.end()]
