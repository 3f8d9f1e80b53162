"""Output items as OpenAI's typed clients want them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.dialects.responses_to_chat.tools import text_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.dialects.responses_to_chat.tools import Tool

IN_PROGRESS = "in_progress"


def reasoning_item(
    item_id: str, text: str, encrypted_content: str | None, status: str
) -> dict[str, Any]:
    return {
        "id": item_id,
        "type": "reasoning",
        "status": status,
        "summary": [],
        "content": [reasoning_part(text)] if text else [],
        "encrypted_content": encrypted_content,
    }


def message_item(item_id: str, parts: list[dict[str, Any]], status: str) -> dict[str, Any]:
    return {
        "id": item_id,
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": parts,
    }


def call_item(
    item_id: str, tool: Tool, call_id: str, arguments: str, status: str
) -> dict[str, Any]:
    """A call as the caller knows its tool: a function's, or a custom tool's with its text."""
    kind = "custom_tool_call" if tool.is_custom else "function_call"
    given = {"input": text_in(arguments)} if tool.is_custom else {"arguments": arguments}
    named = {"name": tool.name}
    if tool.namespace is not None:
        named["namespace"] = tool.namespace
    return {"id": item_id, "type": kind, "status": status, "call_id": call_id, **named, **given}


def reasoning_part(text: str) -> dict[str, Any]:
    return {"type": "reasoning_text", "text": text}


def text_part(
    text: str,
    annotations: Iterable[dict[str, Any]] = (),
    logprobs: Iterable[dict[str, Any]] = (),
) -> dict[str, Any]:
    return {
        "type": "output_text",
        "text": text,
        "annotations": list(annotations),
        "logprobs": list(logprobs),
    }


def refusal_part(refusal: str) -> dict[str, Any]:
    return {"type": "refusal", "refusal": refusal}
