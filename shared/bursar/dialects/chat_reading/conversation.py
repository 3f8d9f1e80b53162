"""Reads a chat's `messages`.

Instructions (`system` and `developer`) are gathered in their order, wherever they stand: neither
Anthropic's nor Bedrock's dialect has them between turns for every model, and Anthropic's own OpenAI
endpoint does the same. Results of tools that follow one another become one turn.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

import msgspec

from bursar.dialects.chat_reading.blocks import (
    Block,
    Conversation,
    Redacted,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from bursar.dialects.chat_reading.parts import SAID, SHOWN, TEXTS, read_parts
from bursar.dialects.chat_reading.thinking import read_thinking
from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bursar.dialects.chat_reading.fields import Fields

_ARGUMENTS: Final = msgspec.json.Decoder(dict[str, object])


def read_conversation(request: Fields) -> Conversation:
    """The request's messages.

    Raises:
        Untranslatable: something in a message has no counterpart; `param` is its path.
        InvalidRequest: a message is malformed.
    """
    system: list[Text] = []
    turns: list[Turn] = []
    for message in request.each("messages"):
        role = message.need("role", str)
        if role in _INSTRUCTIONS:
            system += _instructions(message)
        elif role in _TURNS:
            _append(turns, _TURNS[role](message))
        else:
            raise message.refusal("role", f"is '{role}', which has no counterpart: use 'tool'")
        message.close()
    if not turns:
        raise InvalidRequest("'messages' must have a message that says something", param="messages")
    return Conversation(tuple(system), tuple(turns))


def _append(turns: list[Turn], turn: Turn) -> None:
    if turns and turns[-1].is_results and turn.is_results:
        turns[-1] = replace(turns[-1], blocks=turns[-1].blocks + turn.blocks)
    elif turn.blocks:
        turns.append(turn)


def _instructions(message: Fields) -> list[Text]:
    texts = cast("list[Text]", read_parts(message, TEXTS))
    return cast("list[Text]", _marked(message, list(texts)))


def _user(message: Fields) -> Turn:
    parts: list[Block] = list(read_parts(message, SHOWN))
    if not parts:
        path = message.at("content")
        raise InvalidRequest(f"'{path}' must not be empty", param=path)
    return Turn("user", tuple(_marked(message, parts)))


def _assistant(message: Fields) -> Turn:
    """Its reasoning, text and calls; a message that has none of them says nothing."""
    blocks: list[Block] = [*read_thinking(message), *read_parts(message, SAID)]
    refusal = message.take("refusal", str)
    if refusal:
        blocks.append(Text(message.at("refusal"), refusal))
    blocks += [_call(call) for call in message.each("tool_calls")]
    message.leave("annotations")  # of an answer that was given: no provider reads them again
    return Turn("assistant", tuple(_marked(message, blocks)))


def _tool(message: Fields) -> Turn:
    message.leave("name")  # the call's id names the tool already
    result = ToolResult(
        message.path,
        message.need("tool_call_id", str),
        tuple(read_parts(message, SHOWN)),
        is_error=message.take("is_error", bool) or False,
        cache=message.take("cache_control", dict),
    )
    return Turn("user", (result,))


def _marked(message: Fields, blocks: list[Block]) -> list[Block]:
    """The blocks with the message's own `cache_control`, which is its last block's."""
    cache = message.take("cache_control", dict)
    if cache is None or not blocks:
        return blocks
    last = blocks[-1]
    if isinstance(last, Thinking | Redacted):
        raise message.refusal("cache_control", "cannot mark reasoning")
    return [*blocks[:-1], replace(last, cache=cache)]


def _call(call: Fields) -> ToolCall:
    kind = call.take("type", str)
    if kind not in {None, "function"}:
        raise call.refusal("type", f"is '{kind}', which has no counterpart in {call.dialect}")
    identifier = call.need("id", str)
    call.leave("index", "extra_content")
    cache = call.take("cache_control", dict)
    function = call.inner("function")
    if function is None:
        raise InvalidRequest(f"'{call.at('function')}' is required", param=call.at("function"))
    name = function.need("name", str)
    arguments = _arguments(function)
    function.close()
    call.close()
    return ToolCall(call.path, identifier, name, arguments, cache)


def _arguments(function: Fields) -> Mapping[str, object]:
    """A call's arguments; models that take none may have sent an empty string."""
    text = function.take("arguments", str)
    if not text or not text.strip():
        return {}
    try:
        return _ARGUMENTS.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        path = function.at("arguments")
        raise InvalidRequest(f"'{path}' must be a JSON object in a string", param=path) from None


_INSTRUCTIONS: Final = frozenset({"system", "developer"})
_TURNS: Final[Mapping[str, Callable[[Fields], Turn]]] = {
    "user": _user,
    "assistant": _assistant,
    "tool": _tool,
}
