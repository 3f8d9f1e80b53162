"""Bytes as text and back, each in exactly one way.

One value has one notation, so that two texts can be compared, and no text carries bytes that
nobody looks at.
"""

from __future__ import annotations

import base64

from bursar.vault.errors import InvalidInput


def to_base64(raw: bytes) -> str:
    """Standard base64 with padding (RFC 4648, section 4)."""
    return base64.b64encode(raw).decode()


def from_base64(text: str) -> bytes | None:
    """Decode canonical standard base64; None for everything else.

    Python's decoder ignores non-zero bits in the padding. Encoding again and comparing leaves one
    notation for each value.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if to_base64(raw) == text else None


def to_utf8(text: str) -> bytes:
    """Encode text.

    Raises:
        InvalidInput: lone surrogates, which UTF-8 has no form for.
    """
    raw = _encoded(text)
    if raw is None:
        raise InvalidInput("text with a lone surrogate has no UTF-8 form")
    return raw


def _encoded(text: str) -> bytes | None:
    # Python's error holds the whole text. An error that was raised while it is handled would keep
    # it as its context, so None is returned first.
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def from_utf8(raw: bytes) -> str | None:
    """Decode UTF-8; None for what is none, because Python's error would hold the bytes."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def framed(*parts: bytes) -> bytes:
    """Join parts, each after its length as 4 bytes, most significant first.

    Different lists of parts give different bytes: without the lengths, ("ab", "c") and ("a", "bc")
    would be the same.
    """
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
