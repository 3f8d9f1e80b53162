"""Output items as OpenAI's typed clients want them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.responses_to_chat.tools import query_in, text_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.dialects.responses_to_chat.tools import Tool

IN_PROGRESS: Final = "in_progress"
_CALLS: Final = {
    "function": "function_call",
    "custom": "custom_tool_call",
    "tool_search": "tool_search_call",
}


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
    """A call as the caller knows its tool: with arguments, with a text, or with a query."""
    item = {"id": item_id, "type": _CALLS[tool.kind], "status": status, "call_id": call_id}
    if tool.kind == "tool_search":
        return {**item, "execution": "client", "arguments": query_in(arguments)}
    item["name"] = tool.name
    if tool.namespace is not None:
        item["namespace"] = tool.namespace
    if tool.kind == "custom":
        return {**item, "input": text_in(arguments)}
    return {**item, "arguments": arguments}


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
