"""Makes the turns of a Messages request."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.chat_reading.blocks import (
    Block,
    Conversation,
    Document,
    Image,
    Inline,
    Link,
    Redacted,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
)
from bursar.dialects.chat_reading.call_ids import IdRule
from bursar.dialects.translator import Untranslatable
from bursar.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bursar.dialects.chat_reading.blocks import Cache

# Anthropic's own pattern; it states no length.
_IDS: Final = IdRule("a-zA-Z0-9_-", 128)
_IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def system_blocks(conversation: Conversation) -> list[dict[str, Any]]:
    return [_block(text) for text in conversation.system]


def turn(said: Turn) -> dict[str, Any]:
    """A turn.

    Raises:
        Untranslatable: a file or an image is of a kind that Messages does not take.
    """
    return {"role": said.role, "content": _content(said.blocks)}


def _content(blocks: Sequence[Block]) -> str | list[dict[str, Any]]:
    """What is one plain text stays one."""
    only = blocks[0] if len(blocks) == 1 else None
    if isinstance(only, Text) and only.cache is None:
        return only.text
    return [_block(block) for block in blocks]


def _block(block: Block) -> dict[str, Any]:
    return _WRITERS[type(block)](block)


def _text(block: Text) -> dict[str, Any]:
    return _cached({"type": "text", "text": block.text}, block.cache)


def _image(block: Image) -> dict[str, Any]:
    source = block.source
    if isinstance(source, Link):
        written = {"type": "url", "url": source.url}
    elif source.media_type in _IMAGES:
        written = _base64(source)
    else:
        raise _unknown(block.path, source)
    return _cached({"type": "image", "source": written}, block.cache)


def _document(block: Document) -> dict[str, Any]:
    source = block.source
    if isinstance(source, Link):
        written = {"type": "url", "url": source.url}
    elif source.media_type == "application/pdf":
        written = _base64(source)
    elif source.media_type == "text/plain":
        data = _decoded(source.data, block.path)
        written = {"type": "text", "media_type": "text/plain", "data": data}
    else:
        raise _unknown(block.path, source)
    document: dict[str, Any] = {"type": "document", "source": written}
    if block.name:
        document["title"] = block.name
    return _cached(document, block.cache)


def _base64(source: Inline) -> dict[str, Any]:
    return {"type": "base64", "media_type": source.media_type, "data": source.data}


def _decoded(data: str, path: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidRequest(f"'{path}' is not UTF-8 text in base64", param=path) from None


def _unknown(path: str, source: Inline) -> Untranslatable:
    return Untranslatable(
        f"'{path}' is {source.media_type}, which Anthropic Messages does not take", param=path
    )


def _thinking(block: Thinking) -> dict[str, Any]:
    return {"type": "thinking", "thinking": block.text, "signature": block.signature}


def _redacted(block: Redacted) -> dict[str, Any]:
    return {"type": "redacted_thinking", "data": block.data}


def _tool_use(block: ToolCall) -> dict[str, Any]:
    used = {
        "type": "tool_use",
        "id": _IDS.fitted(block.id),
        "name": block.name,
        "input": dict(block.arguments),
    }
    return _cached(used, block.cache)


def _tool_result(block: ToolResult) -> dict[str, Any]:
    call_id = _IDS.fitted(block.call_id)
    result: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_id}
    if block.blocks:
        result["content"] = _content(block.blocks)
    if block.is_error:
        result["is_error"] = True
    return _cached(result, block.cache)


def _cached(block: dict[str, Any], cache: Cache | None) -> dict[str, Any]:
    return block if cache is None else {**block, "cache_control": dict(cache)}


_WRITERS: Final[Mapping[type, Callable[[Any], dict[str, Any]]]] = {
    Text: _text,
    Image: _image,
    Document: _document,
    Thinking: _thinking,
    Redacted: _redacted,
    ToolCall: _tool_use,
    ToolResult: _tool_result,
}
