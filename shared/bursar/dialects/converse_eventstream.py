"""Amazon's binary event stream, sans-IO: bytes in as they arrive, whole messages out, unchanged.

A message is a prelude (its length, the length of its headers, and the CRC-32 of these eight
bytes), headers, payload, and the CRC-32 of all before; numbers are big-endian. Source of the
format: AWS, Amazon Transcribe Developer Guide, "Event stream encoding", and the Smithy
specification `application/vnd.amazon.eventstream`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from struct import error as struct_error
from typing import Final
from zlib import crc32

from bursar.domain.errors import UpstreamBroken

_PRELUDE: Final = Struct("!III")
_CRC: Final = Struct("!I")
_LENGTH: Final = Struct("!H")
_FRAMING_BYTES: Final = _PRELUDE.size + _CRC.size
# The format's own limits.
_HEADERS_BYTES_MAX: Final = 128 * 1024
_MESSAGE_BYTES_MAX: Final = 24 * 1024 * 1024 + _HEADERS_BYTES_MAX + _FRAMING_BYTES

_STRING: Final = 7
_BYTES: Final = 6
# Sizes of the header types that have one: booleans, integers, a timestamp and a UUID.
_SIZES: Final[Mapping[int, int]] = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


@dataclass(frozen=True, slots=True)
class EventMessage:
    """One message.

    Attributes:
        headers: those that are text, by their names (`:event-type`, `:message-type`, …).
        payload: JSON, where the headers do not say otherwise.
    """

    headers: Mapping[str, str]
    payload: bytes


class MessageSplitter:
    """Cuts a byte stream into messages, whatever the boundaries of the chunks it arrives in."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._length = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take a chunk; give the messages it completes, whose checksums are right.

        Raises:
            UpstreamBroken: a checksum or a length is wrong.
        """
        self._rest += chunk
        frames = []
        while self._has_message():
            frame = bytes(self._rest[: self._length])
            del self._rest[: self._length]
            self._length = 0
            _hold(crc32(frame[: -_CRC.size]), _CRC.unpack_from(frame, len(frame) - _CRC.size)[0])
            frames.append(frame)
        return frames

    def flush(self) -> list[bytes]:
        """Nothing: a message that is cut off has no checksum, and does not count."""
        return []

    def _has_message(self) -> bool:
        if not self._length and len(self._rest) >= _PRELUDE.size:
            self._length = _message_length(self._rest)
        return 0 < self._length <= len(self._rest)


def read_message(frame: bytes) -> EventMessage:
    """Take a message apart that a splitter gave.

    Raises:
        UpstreamBroken: its headers cannot be read.
    """
    _, headers_length, _ = _PRELUDE.unpack_from(frame)
    headers_end = _PRELUDE.size + headers_length
    try:
        headers = _headers(frame[_PRELUDE.size : headers_end])
    except (struct_error, IndexError, KeyError, UnicodeDecodeError):
        raise UpstreamBroken("The provider sent an event whose headers cannot be read") from None
    return EventMessage(headers, frame[headers_end : -_CRC.size])


def _message_length(rest: bytearray) -> int:
    """What a prelude says of its message's length."""
    length, headers_length, checksum = _PRELUDE.unpack_from(rest)
    _hold(crc32(rest[: _PRELUDE.size - _CRC.size]), checksum)
    is_sensible = (
        headers_length <= _HEADERS_BYTES_MAX
        and headers_length + _FRAMING_BYTES <= length <= _MESSAGE_BYTES_MAX
    )
    if not is_sensible:
        raise UpstreamBroken("The provider sent an event of an impossible length")
    return int(length)


def _hold(computed: int, stated: int) -> None:
    if computed != stated:
        raise UpstreamBroken("The provider sent an event whose checksum is wrong")


@lru_cache(maxsize=64)
def _headers(data: bytes) -> Mapping[str, str]:
    """Headers taken apart; a stream has few that differ, so they are remembered."""
    headers = {}
    at = 0
    while at < len(data):
        name_end = at + 1 + data[at]
        name = data[at + 1 : name_end].decode()
        kind = data[name_end]
        at = name_end + 1
        size = _SIZES.get(kind)
        if size is None:
            size = _LENGTH.unpack_from(data, at)[0]
            at += _LENGTH.size
        value = data[at : at + size]
        if len(value) != size or kind not in _SIZES.keys() | {_STRING, _BYTES}:
            raise KeyError(kind)
        if kind == _STRING:
            headers[name] = value.decode()
        at += size
    return headers
