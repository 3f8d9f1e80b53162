"""Metering the event streams of pictures, speech and transcripts.

Each event says in its JSON what it is. The last one carries the usage and is kept back until the
books are closed; some servers end with `[DONE]` instead, or besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.metering import UNREADABLE
from bursar.dialects.openai_stream import DONE
from bursar.dialects.openai_usage import larger
from bursar.dialects.sse import data_of
from bursar.dialects.stream_errors import StreamError, stream_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from bursar.domain.unseen import Unseen
    from bursar.domain.usage import TokenUsage

_LAST: Final = frozenset(
    {
        "image_generation.completed",
        "image_edit.completed",
        "speech.audio.done",
        "transcript.text.done",
    }
)


class Event(msgspec.Struct):
    """What is read of an event; values of other types are taken for absent ones."""

    type: Any = None
    usage: Any = None
    error: Any = None
    delta: Any = None
    audio: Any = None
    message: Any = None


_EVENT = msgspec.json.Decoder(Event)
_DOCUMENT = msgspec.json.Decoder(dict[str, Any])


class EventStreamMeter:
    """Reads what passes; see `metering.StreamMeter`.

    Args:
        read_usage: of the last event's usage object.
        output_bytes_of: no fewer than the tokens that an event brings, given its data's length.
    """

    unseen: Unseen | None = None

    def __init__(
        self,
        read_usage: Callable[[Any], TokenUsage | None],
        output_bytes_of: Callable[[Event, int], int],
    ) -> None:
        self._read_usage = read_usage
        self._output_bytes_of = output_bytes_of
        self.usage: TokenUsage | None = None
        self.output_bytes = 0
        self.reported_cost_usd: Decimal | None = None
        self.service_tier: str | None = None
        self.is_done = False
        self.last_words = b""
        self.error: StreamError | None = None

    def passes(self, frame: bytes) -> bool:
        if self.is_done:
            return False
        data = data_of(frame)
        if data is None:
            return True
        if data.strip() == DONE:
            self._end(frame)
            return False
        try:
            event = _EVENT.decode(data)
        except UNREADABLE:
            self.output_bytes += len(data)
            return True
        self._note(event, len(data))
        if event.type in _LAST:
            self._end(frame)
        return self.error is None and not self.is_done

    def take(self, frame: bytes) -> dict[str, Any] | None:
        is_read = self.passes(frame) or self.is_done
        data = data_of(frame)
        if not is_read or data is None or data.strip() == DONE:
            return None
        try:
            return _DOCUMENT.decode(data)
        except UNREADABLE:
            return None

    def _note(self, event: Event, length: int) -> None:
        self.output_bytes += self._output_bytes_of(event, length)
        if event.error is not None or event.type == "error":
            self.error = stream_error(event.error or event.message or "error")
        if event.usage is not None:
            self.usage = larger(self.usage, self._read_usage(event.usage))

    def _end(self, frame: bytes) -> None:
        self.is_done = self.error is None
        self.last_words = frame
