"""Makes a chat completion of a Messages answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.chat_writing.completion import chat_message, completion, tool_call
from bursar.dialects.messages_usage import read_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.translator import Asked

# Chat has no word for the rest, such as a stop sequence: the model was done.
_FINISH_REASONS: Final[Mapping[str, str]] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def completion_of(answer: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """The completion.

    Blocks of tools that Anthropic runs itself cannot be in it, since none was asked for.
    """
    blocks = answer["content"]
    message = chat_message(
        texts=[block["text"] for block in blocks if block["type"] == "text"],
        tool_calls=[_tool_call(block) for block in blocks if block["type"] == "tool_use"],
        reasoning=[block["thinking"] for block in blocks if block["type"] == "thinking"],
        thinking_blocks=[kept for block in blocks if (kept := signed(block)) is not None],
        refusal=refusal_of(answer),
    )
    return completion(
        asked,
        answer["id"],
        message,
        finish_reason(answer.get("stop_reason")),
        read_usage(answer.get("usage")),
    )


def finish_reason(stop_reason: str | None) -> str:
    return _FINISH_REASONS.get(stop_reason or "end_turn", "stop")


def refusal_of(answer: Mapping[str, Any]) -> str | None:
    """Why Anthropic would not go on, where it says so."""
    details = answer.get("stop_details")
    explanation = details.get("explanation") if isinstance(details, dict) else None
    return explanation if isinstance(explanation, str) else None


def signed(block: Mapping[str, Any]) -> dict[str, Any] | None:
    """A block of reasoning as it has to be sent back, None for any other."""
    if block["type"] == "redacted_thinking":
        return {"type": "redacted_thinking", "data": block["data"]}
    if block["type"] == "thinking" and block.get("signature"):
        return {
            "type": "thinking",
            "thinking": block.get("thinking", ""),
            "signature": block["signature"],
        }
    return None


def _tool_call(block: Mapping[str, Any]) -> dict[str, Any]:
    return tool_call(block["id"], block["name"], arguments_of(block.get("input")))


def arguments_of(value: Any) -> str:
    return msgspec.json.encode(value or {}).decode()
