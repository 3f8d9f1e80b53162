"""Makes a chat completion of a Converse answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.chat_writing.completion import chat_message, completion, tool_call
from bursar.dialects.converse_usage import read_converse_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.translator import Asked

# Chat has no word for the rest, such as a stop sequence: the model was done.
_FINISH_REASONS: Final[Mapping[str, str]] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
}


def completion_of(answer: Mapping[str, Any], asked: Asked, identifier: str) -> dict[str, Any]:
    """The completion.

    Pictures and citations cannot be in it, since neither was asked for.
    """
    blocks = answer["output"]["message"]["content"]
    reasoning = [block["reasoningContent"] for block in blocks if "reasoningContent" in block]
    message = chat_message(
        texts=[block["text"] for block in blocks if "text" in block],
        tool_calls=[_tool_call(block["toolUse"]) for block in blocks if "toolUse" in block],
        reasoning=[text for each in reasoning if (text := _reasoning_text(each))],
        thinking_blocks=[kept for each in reasoning if (kept := signed(each)) is not None],
    )
    return completion(
        asked,
        identifier,
        message,
        finish_reason(answer["stopReason"]),
        read_converse_usage(answer.get("usage")),
    )


def finish_reason(stop_reason: str) -> str:
    return _FINISH_REASONS.get(stop_reason, "stop")


def signed(reasoning: Mapping[str, Any]) -> dict[str, Any] | None:
    """A `reasoningContent` as it has to be sent back, None where nobody signed it."""
    redacted = reasoning.get("redactedContent")
    if redacted:
        return {"type": "redacted_thinking", "data": redacted}
    text = reasoning.get("reasoningText") or {}
    if not text.get("signature"):
        return None
    return {
        "type": "thinking",
        "thinking": text.get("text", ""),
        "signature": text["signature"],
    }


def _reasoning_text(reasoning: Mapping[str, Any]) -> str | None:
    """What is said of it; a model that keeps its reasoning to itself signs an empty text."""
    text: str | None = (reasoning.get("reasoningText") or {}).get("text")
    return text


def _tool_call(used: Mapping[str, Any]) -> dict[str, Any]:
    arguments = msgspec.json.encode(used.get("input") or {}).decode()
    return tool_call(used["toolUseId"], used["name"], arguments)
