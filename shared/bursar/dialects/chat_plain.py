"""A translated chat request as providers of chat take it.

Between translators, chat carries more than OpenAI's: nothing is lost on the way to a third dialect
that has it. What is left of that at the end of the way is said in plain chat here:

| Between translators | To a provider of chat |
| --- | --- |
| images and files in a message of `tool` | a user's message after the results, that says whose |
| `is_error` of a message of `tool` | its text begins with `Error: ` |
| `cache_control` | left out: such providers decide themselves what they cache |
| `thinking_blocks` | left out: encrypted or signed by another vendor, and read by no other |
| texts in several parts, where one is meant | one text |
| `max_completion_tokens`, `max_tokens` | the one that the provider takes |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.openai_chat import OUTPUT_LIMIT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_Message = dict[str, Any]
_BETWEEN: Final[Mapping[str, str]] = {"system": "\n\n", "assistant": "", "tool": "\n"}
_ERROR, _SHOWN = "Error: ", "(shown below)"
_MARKS: Final = frozenset({"cache_control", "thinking_blocks", "is_error"})


def plain(document: Mapping[str, Any], limit_field: str) -> dict[str, Any]:
    """The request, its output limit under the name that the provider knows."""
    made = _unmarked(document)
    made["messages"] = list(_with_shown(made["messages"]))
    if made.get("tools"):
        made["tools"] = [_unmarked(tool) for tool in made["tools"]]
    limits = [made.pop(name) for name in OUTPUT_LIMIT_FIELDS if name in made]
    return {**made, limit_field: limits[0]} if limits else made


def _with_shown(messages: Iterable[_Message]) -> Iterator[_Message]:
    """The messages; what results show comes after the last of them, for none may come between."""
    shown: list[Any] = []
    for message in messages:
        if message["role"] == "tool":
            result, media = _result(message)
            shown += media
            yield result
            continue
        said = _said(message)
        if shown and said["role"] == "user":
            said = {**said, "content": [*shown, *_parts(said["content"])]}
        elif shown:
            yield {"role": "user", "content": shown}
        shown = []
        yield said
    if shown:
        yield {"role": "user", "content": shown}


def _result(message: _Message) -> tuple[_Message, list[Any]]:
    """A tool's result in text, and what it shows besides."""
    parts = _parts(message["content"])
    texts = [part for part in parts if part["type"] == "text"]
    media = [part for part in parts if part["type"] != "text"]
    text = _BETWEEN["tool"].join(part["text"] for part in texts) or (_SHOWN if media else "")
    if message.get("is_error") and not text.startswith(_ERROR):
        text = f"{_ERROR}{text}"
    whose = {"type": "text", "text": f"Shown by the tool's result {message['tool_call_id']}:"}
    return {**_unmarked(message), "content": text}, [whose, *media] if media else []


def _said(message: _Message) -> _Message:
    said = _unmarked(message)
    if said.get("tool_calls"):
        said["tool_calls"] = [_unmarked(call) for call in said["tool_calls"]]
    content = said.get("content")
    if isinstance(content, list):
        said["content"] = _as_one(said["role"], [_unmarked(part) for part in content])
    return said


def _as_one(role: str, parts: list[Any]) -> Any:
    """Parts as one text where they are only that, and where they are a text in pieces."""
    is_text = all(part.get("type") == "text" for part in parts)
    if not is_text or (role not in _BETWEEN and len(parts) != 1):
        return parts
    return _BETWEEN.get(role, "").join(part["text"] for part in parts)


def _parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [_unmarked(part) for part in content or ()]


def _unmarked(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in holder.items() if name not in _MARKS}
