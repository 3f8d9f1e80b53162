"""The worst tokenizer that a provider may have: every byte of a request's text is a token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# What no model reads, or what is not counted as text.
_IDS = frozenset({"id", "call_id", "tool_use_id", "tool_call_id"})
_MEDIA = frozenset({"data", "url", "image_url", "media_type", "source"})
_MARKS = frozenset({"type", "role", "status", "cache_control", "signature", "encrypted_content"})
_UNREAD: Final = _IDS | _MEDIA | _MARKS
_TEXT: Final = ("system", "instructions", "messages", "input")
_SCHEMAS: Final = ("tools", "response_format", "text", "output_config", "output_format")


def dense_tokens(request: Mapping[str, Any]) -> int:
    """UTF-8 bytes of all text in a request of any dialect, tools and schemas as JSON."""
    text = sum(_bytes_in(request.get(name)) for name in _TEXT)
    schemas = (request[name] for name in _SCHEMAS if request.get(name))
    return text + sum(len(_json(one)) for one in schemas)


def _bytes_in(value: object) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, list):
        return sum(map(_bytes_in, value))
    if isinstance(value, dict):
        return sum(_bytes_in(inner) for name, inner in value.items() if name not in _UNREAD)
    return 0


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
