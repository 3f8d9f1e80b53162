"""Amazon's event stream, encoded: what Bedrock sends."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_STRING = 7


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message whose headers are all text."""
    return framed(b"".join(string_header(name, value) for name, value in headers.items()), payload)


def framed(headers: bytes, payload: bytes) -> bytes:
    """One message around headers that are encoded already."""
    prelude = struct.pack("!II", len(headers) + len(payload) + 16, len(headers))
    prelude += struct.pack("!I", zlib.crc32(prelude))
    body = prelude + headers + payload
    return body + struct.pack("!I", zlib.crc32(body))


def string_header(name: str, value: str) -> bytes:
    encoded = value.encode()
    return header(name, _STRING, struct.pack("!H", len(encoded)) + encoded)


def header(name: str, kind: int, value: bytes) -> bytes:
    return bytes([len(name.encode())]) + name.encode() + bytes([kind]) + value


def event(content: Mapping[str, Any]) -> bytes:
    """One event, given as `{"messageStop": {...}}`."""
    ((kind, inner),) = content.items()
    headers = {
        ":event-type": kind,
        ":content-type": "application/json",
        ":message-type": "event",
    }
    return message(headers, json.dumps(inner, ensure_ascii=False).encode())


def exception(kind: str, says: str) -> bytes:
    headers = {
        ":exception-type": kind,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return message(headers, json.dumps({"message": says}).encode())


def events(contents: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(event(content) for content in contents)
