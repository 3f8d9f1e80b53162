"""Makes a message of a chat completion.

| Chat | Messages |
| --- | --- |
| `thinking_blocks` | the same blocks, signed as they were |
| `reasoning_content`, `reasoning` | a `thinking` block signed with the field's name |
| `content` | a `text` block; parts of reasoning in it become `thinking` |
| `refusal` | a `text` block, and `stop_reason` refusal |
| `tool_calls` | `tool_use` blocks; arguments that are no object stand under `INVALID_JSON` |
| `finish_reason` | `stop_reason`, but never `stop_sequence`: chat does not tell them apart |
| `usage` | without its cached parts in `input_tokens` |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.messages_to_chat.reasoning import REASONING_FIELDS
from bursar.dialects.messages_to_chat.usage import messages_usage
from bursar.dialects.metering import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bursar.dialects.translator import Asked

_STOP_REASONS: Final[Mapping[str, str]] = {
    "length": "max_tokens",
    "model_length": "model_context_window_exceeded",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_INVALID: Final = "INVALID_JSON"
"""What Anthropic's guide puts arguments under that are not the JSON they should be."""

_Block = dict[str, Any]


def message_of(
    completion: Mapping[str, Any], asked: Asked, *, hides_thinking: bool
) -> dict[str, Any]:
    """The message."""
    choice = completion["choices"][0]
    said = choice["message"]
    thinking = [] if hides_thinking else list(_thinking(said))
    calls = said.get("tool_calls") or []
    texts = [_text(text) for kind, text in pieces_of(said.get("content")) if kind == "text"]
    refusal = said.get("refusal")
    return {
        "id": identifier_of(completion, asked),
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [
            *thinking,
            *texts,
            *([_text(refusal)] if refusal else []),
            *map(_tool_use, calls),
        ],
        "stop_reason": stop_reason(
            choice.get("finish_reason"), calls=bool(calls), refused=bool(refusal)
        ),
        "stop_sequence": None,
        "usage": messages_usage(completion.get("usage"), completion.get("service_tier")),
    }


def identifier_of(completion: Mapping[str, Any], asked: Asked) -> str:
    """The answer's id; some providers give none, and Anthropic's SDK needs one."""
    return completion.get("id") or f"msg_{asked.created_s}"


def stop_reason(finish_reason: str | None, *, calls: bool, refused: bool) -> str:
    """Why the answer ends; some providers finish with `stop` although they call tools."""
    if refused:
        return "refusal"
    reason = _STOP_REASONS.get(finish_reason or "stop", "end_turn")
    return "tool_use" if calls and reason == "end_turn" else reason


def pieces_of(content: Any) -> Iterator[tuple[str, str]]:
    """Text and reasoning ("text", "thinking") of a `content`, which Mistral makes a list of."""
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    for part in content or ():
        if part.get("type") == "text" and part.get("text"):
            yield "text", part["text"]
        elif part.get("type") == "thinking":
            yield from (("thinking", text) for _, text in pieces_of(part.get("thinking")))


def reasoning_of(said: Mapping[str, Any]) -> tuple[str, str]:
    """The field that holds what a message, or a delta of one, says of its reasoning, and that."""
    for field in REASONING_FIELDS:
        if isinstance(said.get(field), str) and said[field]:
            return field, said[field]
    within = [text for kind, text in pieces_of(said.get("content")) if kind == "thinking"]
    return REASONING_FIELDS[0], "".join(within)


def tool_use(call: Mapping[str, Any], name: str, arguments: Mapping[str, Any]) -> _Block:
    """A block that calls a tool; what a provider wants back with the call stays on it."""
    block: _Block = {"type": "tool_use", "id": call["id"], "name": name, "input": arguments}
    if call.get("extra_content"):
        block["extra_content"] = call["extra_content"]
    return block


def _thinking(said: Mapping[str, Any]) -> Iterator[_Block]:
    if said.get("thinking_blocks"):
        yield from said["thinking_blocks"]
        return
    field, text = reasoning_of(said)
    if text:
        yield {"type": "thinking", "thinking": text, "signature": field}


def _text(text: str) -> _Block:
    return {"type": "text", "text": text}


def _tool_use(call: Mapping[str, Any]) -> _Block:
    function = call["function"]
    return tool_use(call, function["name"], _input_of(function.get("arguments")))


def _input_of(arguments: Any) -> dict[str, Any]:
    if isinstance(arguments, dict) or not arguments:
        return arguments or {}
    try:
        read = msgspec.json.decode(arguments)
    except UNREADABLE:
        return {_INVALID: arguments}
    return read if isinstance(read, dict) else {_INVALID: arguments}
