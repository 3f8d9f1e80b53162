"""Cutting a stream whose events are large: a picture is one line of several megabytes.

`FrameSplitter` is made for short events: it joins what has arrived of one afresh with every chunk,
which takes time with the square of its length. Here each byte is moved once.
"""

from __future__ import annotations

import re
from typing import Final

from bursar.domain.errors import UpstreamBroken

_FRAME_END: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r(?!\n)|\n\r\n")
_LONGEST_END: Final = 4
# A picture of 8.3 megapixels whose every byte is noise, in base64.
_FRAME_BYTES_MAX: Final = 64 * 1024 * 1024


class LargeFrameSplitter:
    """Cuts a byte stream into frames, whatever the boundaries of the chunks it arrives in."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take a chunk; give the frames it completes, each with its ending blank line.

        Raises:
            UpstreamBroken: a frame is longer than any picture.
        """
        search_from = max(0, len(self._rest) - _LONGEST_END)
        self._rest += chunk
        frames = []
        start = 0
        while (end := _FRAME_END.search(self._rest, search_from)) is not None:
            search_from = end.end()
            frames.append(bytes(memoryview(self._rest)[start:search_from]))
            start = search_from
        if start:
            self._rest = self._rest[start:]
        if len(self._rest) > _FRAME_BYTES_MAX:
            raise UpstreamBroken("The provider sent an event without end")
        return frames

    def flush(self) -> list[bytes]:
        """The event that the end of the stream cuts off from its blank line: it still counts."""
        return self.feed(b"\n\n") if self._rest.strip() else []
