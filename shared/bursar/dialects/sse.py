"""Server-sent events, sans-IO: bytes in as they arrive, whole frames out, unchanged.

The format is the HTML standard's event stream: frames end at a blank line, lines end with LF,
CRLF or CR, and a frame's data is its `data:` lines joined by LF.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from bursar.domain.errors import UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FRAME_END = re.compile(rb"\r\n\r\n|\n\n|\r\r(?!\n)|\n\r\n")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_LONGEST_END = 4
_FRAME_BYTES_MAX = 16 * 1024 * 1024


class FrameSplitter:
    """Cuts a byte stream into frames, whatever the boundaries of the chunks it arrives in."""

    def __init__(self) -> None:
        self._rest = b""
        self._searched = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take a chunk; give the frames it completes, each with its ending blank line.

        Raises:
            UpstreamBroken: a frame is longer than any sensible one.
        """
        # One whole frame: what nearly every read is of a stream that comes word by word.
        is_whole = not self._rest and chunk.endswith(b"\n\n") and b"\r" not in chunk
        if is_whole and chunk.find(b"\n\n") == len(chunk) - 2:
            return [chunk]
        buffer = self._rest + chunk
        frames = []
        start = 0
        search_from = max(0, self._searched - _LONGEST_END)
        while (end := _FRAME_END.search(buffer, search_from)) is not None:
            frames.append(buffer[start : end.end()])
            start = search_from = end.end()
        self._rest = buffer[start:]
        self._searched = len(self._rest)
        if self._searched > _FRAME_BYTES_MAX:
            raise UpstreamBroken("The provider sent an event without end")
        return frames

    def flush(self) -> list[bytes]:
        """The event that the end of the stream cuts off from its blank line: it still counts."""
        return self.feed(b"\n\n") if self._rest.strip() else []

    @property
    def rest(self) -> bytes:
        """What has arrived of a frame that has not ended."""
        return self._rest


def data_of(frame: bytes) -> bytes | None:
    """The frame's data, or None for a comment or an event without data."""
    start = frame.find(b"\n") + 1 if frame.startswith(b"event: ") else 0
    is_one_line = frame.startswith(b"data: ", start) and frame.find(b"\n", start) == len(frame) - 2
    if is_one_line and b"\r" not in frame:
        return frame[start + 6 : -2]  # what nearly every frame is: one line of data, maybe named
    lines = [
        line[5:].removeprefix(b" ") for line in _LINE_END.split(frame) if line.startswith(b"data:")
    ]
    return b"\n".join(lines) if lines else None


def is_comment(frames: bytes) -> bool:
    """Whether frames hold comments and nothing else."""
    return frames.startswith(b":") and all(
        line.startswith(b":") for line in _LINE_END.split(frames) if line
    )


def frame_of(data: bytes) -> bytes:
    """A frame around one line of data."""
    return b"data: " + data + b"\n\n"


def data_frames(events: Iterable[Mapping[str, Any]]) -> bytes:
    """Events that are told apart by what they hold, as OpenAI's chat completions are."""
    encode = msgspec.json.encode
    return b"".join([b"data: " + encode(event) + b"\n\n" for event in events])


def named_frames(events: Iterable[Mapping[str, Any]]) -> bytes:
    """Events that are told apart by their `type`, which is the frame's name as well."""
    encode = msgspec.json.encode
    return b"".join(
        [
            b"event: " + str(event["type"]).encode() + b"\ndata: " + encode(event) + b"\n\n"
            for event in events
        ]
    )
