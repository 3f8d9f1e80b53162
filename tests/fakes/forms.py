"""Forms as clients upload them, and files to put into them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BOUNDARY = "af2b9c1d0e8f7a65"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"

# A field's name and value, or a file's name, file name, type and content.
Field = tuple[str, str] | tuple[str, str, str, bytes]


def form(fields: Sequence[Field], boundary: str = BOUNDARY) -> bytes:
    """A body as httpx writes it."""
    parts = [b"--" + boundary.encode() + b"\r\n" + _part(field) + b"\r\n" for field in fields]
    return b"".join(parts) + b"--" + boundary.encode() + b"--\r\n"


def _part(field: Field) -> bytes:
    if len(field) == 2:
        name, value = field
        return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
    name, file_name, kind, content = field
    head = (
        f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return head.encode() + content


def wav(seconds: float, *, rate: int = 16_000, channels: int = 1, bits: int = 16) -> bytes:
    """Silence in plain samples."""
    block = channels * bits // 8
    samples = bytes(int(seconds * rate) * block)
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * block, block, bits)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(fmt) + len(data), b"WAVE") + fmt + data


def mp3(seconds: float) -> bytes:
    """Frames of MPEG-1, layer 3, at 128 kbit/s and 44,100 Hz, behind a tag as encoders put it."""
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 1, 72]) + bytes(200)
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    return tag + frame * int(seconds * 44_100 / 1_152)
