"""Makes a chat's messages of `system` and `messages`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.messages_to_chat.parts import blocks_in, joined, parts_of
from bursar.dialects.messages_to_chat.reasoning import remember
from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from bursar.dialects.chat_reading.fields import Fields

Message = dict[str, Any]
_PARAGRAPHS, _LINES, _TOGETHER = "\n\n", "\n", ""
_REASONING: Final = ("thinking", "redacted_thinking")
_ENDS: Final = ("never", "next_user_message")


def chat_messages(request: Fields) -> list[Message]:
    """The request's instructions and turns.

    Raises:
        Untranslatable: something in a message has no counterpart; `param` is its path.
        InvalidRequest: a message is malformed.
    """
    messages = _instructions(request, "system")
    role = ""
    said = request.each("messages")
    asked_last = max(
        (at for at, message in enumerate(said) if message.peek("role") == "user"), default=0
    )
    for index, message in enumerate(said):
        role = message.need("role", str)
        if role == "assistant":
            messages.append(_assistant(message))
        elif role == "user":
            messages += _user(message)
        elif role == "system":
            told = _instructions(message, "content")
            messages += [] if _is_over(message, was_followed=index < asked_last) else told
        else:
            raise message.refusal("role", "must be 'user' or 'assistant'")
        message.close()
    if not role:
        raise InvalidRequest("'messages' must not be empty", param="messages")
    if role == "assistant":
        raise request.refusal(
            "messages", f"must end with the user's: {request.dialect} does not go on with a reply"
        )
    return messages


def _instructions(holder: Fields, name: str) -> list[Message]:
    parts = parts_of(blocks_in(holder, name))
    return [{"role": "system", "content": joined(parts, _PARAGRAPHS)}] if parts else []


def _is_over(message: Fields, *, was_followed: bool) -> bool:
    """Whether instructions were for an earlier turn only: Anthropic's models see them no longer."""
    message.only("output_config", [{}])
    ends = message.take("clear_at", str) or "never"
    if ends not in _ENDS:
        raise message.refusal("clear_at", "must be 'never' or 'next_user_message'")
    return was_followed and ends != "never"


def _user(message: Fields) -> list[Message]:
    """Results of tools come first, as Anthropic wants them and chat needs them."""
    blocks = blocks_in(message, "content")
    results = [block for block in blocks if block.peek("type") == "tool_result"]
    parts = parts_of(block for block in blocks if block.peek("type") != "tool_result")
    if not results and not parts:
        path = message.at("content")
        raise InvalidRequest(f"'{path}' must not be empty", param=path)
    is_one = len(parts) == 1
    said = [{"role": "user", "content": joined(parts, _TOGETHER) if is_one else parts}]
    return [*map(_result, results), *(said if parts else [])]


def _result(block: Fields) -> Message:
    block.leave("type")
    result: Message = {
        "role": "tool",
        "tool_call_id": block.need("tool_use_id", str),
        "content": joined(parts_of(blocks_in(block, "content")), _LINES),
    }
    if block.take("is_error", bool):
        result["is_error"] = True
    cache = block.take("cache_control", dict)
    if cache is not None:
        result["cache_control"] = cache
    block.close()
    return result


def _assistant(message: Fields) -> Message:
    made: Message = {"role": "assistant", "content": None}
    said, calls = [], []
    for block in blocks_in(message, "content"):
        if block.peek("type") == "tool_use":
            calls.append(_call(block))
        elif block.peek("type") in _REASONING:
            remember(made, block)
        else:
            said.append(block)
    texts = joined(parts_of(said), _TOGETHER)
    if texts or not calls:
        made["content"] = texts
    if calls:
        made["tool_calls"] = calls
    return made


def _call(block: Fields) -> Message:
    block.leave("type")
    block.only("caller", [{"type": "direct"}])
    arguments = msgspec.json.encode(block.take("input", dict) or {}).decode()
    call: Message = {
        "id": block.need("id", str),
        "type": "function",
        "function": {"name": block.need("name", str), "arguments": arguments},
    }
    for name in ("cache_control", "extra_content"):
        kept = block.take(name, dict)
        if kept is not None:
            call[name] = kept
    block.close()
    return call
