"""What a chat message, or a piece of one in a stream, says, whatever its provider calls it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from bursar.dialects.responses_to_chat.reasoning import empty_in, telling_most

# Where reasoning stands in plain text.
_PLAIN: Final = ("reasoning_content", "reasoning")


@dataclass(frozen=True, slots=True)
class CallPiece:
    """A tool call, or a piece of one.

    Attributes:
        index: which of the message's calls it belongs to, None where the provider does not say.
        call_id: empty where it is not said here.
        name: likewise.
        beside: what stands beside the call and has to come back with it, such as a signature.
    """

    index: int | None
    call_id: str
    name: str
    arguments: str
    beside: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """One message, or a piece of one.

    Attributes:
        reasoning: to be read.
        kept: the field to be given back, by its name.
        empty: fields that were given without a word.
        logprobs: of the text's tokens.
    """

    text: str = ""
    refusal: str = ""
    reasoning: str = ""
    kept: dict[str, Any] = field(default_factory=dict)
    empty: dict[str, Any] = field(default_factory=dict)
    calls: tuple[CallPiece, ...] = ()
    annotations: tuple[dict[str, Any], ...] = ()
    logprobs: tuple[dict[str, Any], ...] = ()


def said_in(choice: Any, name: str) -> Said:
    """Read a choice.

    Args:
        choice: of a whole answer or of a chunk.
        name: of its message, `message` or `delta`.
    """
    message = choice.get(name) if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        return Said()
    text, thought = _contents(message.get("content"))
    reasoning = next((message[name] for name in _PLAIN if _is_text(message.get(name))), thought)
    logprobs = choice.get("logprobs")
    return Said(
        text,
        _text(message.get("refusal")),
        reasoning,
        telling_most(message),
        empty_in(message),
        tuple(_call(call) for call in _dicts(message.get("tool_calls"))),
        tuple(_annotation(note) for note in _dicts(message.get("annotations"))),
        tuple(_dicts(logprobs.get("content")) if isinstance(logprobs, dict) else ()),
    )


def _contents(content: Any) -> tuple[str, str]:
    """Text and reasoning of a content, which some providers give as a list of parts."""
    if not isinstance(content, list):
        return _text(content), ""
    text = thought = ""
    for part in _dicts(content):
        if part.get("type") == "thinking":
            inner = part.get("thinking")
            thought += _contents(inner)[0] if isinstance(inner, list) else _text(inner)
        else:
            text += _text(part.get("text"))
    return text, thought


def _call(call: dict[str, Any]) -> CallPiece:
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    index = call.get("index")
    beside = call.get("extra_content")
    return CallPiece(
        index if isinstance(index, int) else None,
        _text(call.get("id")),
        _text(function.get("name")),
        _text(function.get("arguments")),
        {"extra_content": beside} if beside else {},
    )


def _annotation(note: dict[str, Any]) -> dict[str, Any]:
    """Chat nests what a note is about under its type, Responses does not."""
    kind = note.get("type")
    inner = note.get(kind) if isinstance(kind, str) else None
    return {"type": kind, **inner} if isinstance(inner, dict) else note


def _dicts(values: Any) -> list[dict[str, Any]]:
    return (
        [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
