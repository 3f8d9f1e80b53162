"""Undoing a content encoding as the bytes arrive (RFC 9110, section 8.4.1).

Providers are asked for no encoding, because it makes a stream wait for the compressor's blocks;
some send gzip all the same.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_ENCODED_HEADERS = ("content-encoding", "content-length")


class Decoder(Protocol):
    def feed(self, data: bytes) -> bytes:
        """Decode what can be decoded so far.

        Raises:
            ValueError: the bytes are not in the encoding that the answer announced.
        """
        ...

    def finish(self) -> None:
        """Say that the body is over.

        Raises:
            ValueError: the encoded data is not.
        """
        ...


class Inflating:
    """For gzip, of any number of members, and deflate in its zlib wrapper."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        decoded = b""
        while data:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
            self._begun = True
            try:
                decoded += self._inflate.decompress(data)
            except zlib.error:
                raise ValueError("not gzip or deflate") from None
            data = self._inflate.unused_data
        return decoded

    def finish(self) -> None:
        if self._begun and not self._inflate.eof:
            raise ValueError("the compressed data ends too early")


class Unsupported:
    """For encodings that nobody asked for and the standard library does not know."""

    def feed(self, data: bytes) -> bytes:
        raise ValueError("unsupported content encoding")

    def finish(self) -> None:
        return


def decoder_for(headers: Mapping[str, str]) -> Decoder | None:
    """The decoder for an answer's body, None where it is not encoded."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return Inflating()
    return Unsupported()


def without_encoding(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as they describe the decoded body."""
    return {name: value for name, value in headers.items() if name not in _ENCODED_HEADERS}
