"""Makes the turns of a Converse request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.chat_reading.blocks import (
    Block,
    Conversation,
    Document,
    Image,
    Inline,
    Redacted,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from bursar.dialects.chat_reading.call_ids import IdRule
from bursar.dialects.translator import Untranslatable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bursar.dialects.chat_reading.blocks import Cache

# The service's own description of `ToolUseId`.
_IDS: Final = IdRule("a-zA-Z0-9_.:-", 64)
_IMAGES: Final[Mapping[str, str]] = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
}
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_DOCUMENTS: Final[Mapping[str, str]] = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    f"{_OFFICE}.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    f"{_OFFICE}.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
# A document's name has letters, digits, single spaces, hyphens, brackets and parentheses.
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9\-\[\]()]+")
_NAME_LENGTH_MAX: Final = 180


class ConversationWriter:
    """Writes one conversation; documents in it get names that differ, as Bedrock wants."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._names: set[str] = set()

    def system(self) -> list[dict[str, Any]]:
        return self._blocks(self._conversation.system)

    def messages(self) -> list[dict[str, Any]]:
        """The turns, of alternating roles.

        Raises:
            Untranslatable: something in them has no counterpart; `param` is its path.
        """
        messages: list[dict[str, Any]] = []
        for turn in self._conversation.turns:
            content = self._blocks(turn.blocks)
            if messages and messages[-1]["role"] == turn.role:
                messages[-1]["content"] += content
            else:
                messages.append({"role": turn.role, "content": content})
        return messages

    def _blocks(self, blocks: Sequence[Block]) -> list[dict[str, Any]]:
        written: list[dict[str, Any]] = []
        for block in blocks:
            written.append(_WRITERS[type(block)](self, block))
            if not isinstance(block, Thinking | Redacted) and (cache := _cache_of(block)):
                written.append(cache_point(cache, block.path))
        return written

    def _text(self, block: Text) -> dict[str, Any]:
        return {"text": block.text}

    def _image(self, block: Image) -> dict[str, Any]:
        return {"image": _media(block.source, _IMAGES, block.path)}

    def _document(self, block: Document) -> dict[str, Any]:
        media = _media(block.source, _DOCUMENTS, block.path)
        return {"document": {**media, "name": self._name(block.name)}}

    def _name(self, wanted: str | None) -> str:
        name = _NOT_IN_NAMES.sub(" ", wanted or "").strip()[:_NAME_LENGTH_MAX].strip()
        name = name or "document"
        unique, number = name, 1
        while unique in self._names:
            number += 1
            unique = f"{name} ({number})"
        self._names.add(unique)
        return unique

    def _thinking(self, block: Thinking) -> dict[str, Any]:
        text = {"text": block.text, "signature": block.signature}
        return {"reasoningContent": {"reasoningText": text}}

    def _redacted(self, block: Redacted) -> dict[str, Any]:
        return {"reasoningContent": {"redactedContent": block.data}}

    def _tool_use(self, block: ToolCall) -> dict[str, Any]:
        identifier = _IDS.fitted(block.id)
        used = {"toolUseId": identifier, "name": block.name, "input": dict(block.arguments)}
        return {"toolUse": used}

    def _tool_result(self, block: ToolResult) -> dict[str, Any]:
        content = [_WRITERS[type(inner)](self, inner) for inner in block.blocks]
        call_id = _IDS.fitted(block.call_id)
        result: dict[str, Any] = {"toolUseId": call_id, "content": content}
        if block.is_error:
            result["status"] = "error"
        return {"toolResult": result}


def cache_point(cache: Cache, path: str) -> dict[str, Any]:
    """The mark behind what is to be cached.

    Raises:
        Untranslatable: the cache is of another kind than Anthropic's.
    """
    fields = {name: value for name, value in cache.items() if value is not None}
    kind, ttl = fields.pop("type", None), fields.pop("ttl", None)
    if kind != "ephemeral" or fields:
        path = f"{path}.cache_control"
        raise Untranslatable(f"'{path}' must be of type 'ephemeral', with a 'ttl'", param=path)
    return {"cachePoint": {"type": "default", **({"ttl": ttl} if ttl else {})}}


def _cache_of(block: Text | Image | Document | ToolCall | ToolResult) -> Cache | None:
    """A block's mark; no mark can stand within a tool's result, so it comes behind."""
    if isinstance(block, ToolResult):
        inner = [each.cache for each in block.blocks if each.cache is not None]
        return block.cache or next(iter(inner), None)
    return block.cache


def _media(source: object, formats: Mapping[str, str], path: str) -> dict[str, Any]:
    if not isinstance(source, Inline):
        raise Untranslatable(
            f"'{path}' is a link, which Bedrock does not fetch: send a data URL", param=path
        )
    known_as = formats.get(source.media_type)
    if known_as is None:
        raise Untranslatable(
            f"'{path}' is {source.media_type}, which Bedrock Converse does not take", param=path
        )
    return {"format": known_as, "source": {"bytes": source.data}}


_WRITERS: Final[Mapping[type, Callable[[ConversationWriter, Any], dict[str, Any]]]] = {
    Text: ConversationWriter._text,  # noqa: SLF001 (same module)
    Image: ConversationWriter._image,  # noqa: SLF001
    Document: ConversationWriter._document,  # noqa: SLF001
    Thinking: ConversationWriter._thinking,  # noqa: SLF001
    Redacted: ConversationWriter._redacted,  # noqa: SLF001
    ToolCall: ConversationWriter._tool_use,  # noqa: SLF001
    ToolResult: ConversationWriter._tool_result,  # noqa: SLF001
}
