"""Metering an OpenAI-shaped stream frame by frame, without changing a byte of what passes.

The usage chunk that was only sent because the gateway asked for it is withheld from a caller who
did not. A stream is complete when it says `[DONE]`, and broken when it ends without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from bursar.dialects.metering import UNREADABLE
from bursar.dialects.openai_usage import larger, read_usage, reported_cost
from bursar.dialects.sse import data_of, frame_of
from bursar.dialects.stream_errors import StreamError, stream_error
from bursar.domain.unseen import Unseen

if TYPE_CHECKING:
    from decimal import Decimal

    from bursar.domain.usage import TokenUsage

DONE = b"[DONE]"
DONE_FRAME = frame_of(DONE)
_MESSAGE_FIELDS = frozenset(
    {
        "content",
        "reasoning_content",
        "reasoning",
        "refusal",
        "tool_calls",
        "function_call",
        "audio",
        "images",
    }
)


class _Choice(msgspec.Struct):
    delta: dict[str, Any] | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    service_tier: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)
_EVENT = msgspec.json.Decoder(dict[str, Any])


class ChatStreamMeter:
    """Reads what passes; see `metering.StreamMeter`."""

    def __init__(self, *, withhold_usage: bool) -> None:
        self._withhold_usage = withhold_usage
        self.usage: TokenUsage | None = None
        self.output_bytes = 0
        self.reported_cost_usd: Decimal | None = None
        self.service_tier: str | None = None
        self.is_done = False
        self.last_words = DONE_FRAME
        self.error: StreamError | None = None
        self._shows_reasoning = False

    @property
    def unseen(self) -> Unseen | None:
        """Whether a model reasons cannot be seen here, unless it shows that."""
        if self.usage is not None:
            return None
        return Unseen(reasons=False if self._shows_reasoning else None)

    def passes(self, frame: bytes) -> bool:
        data = self._data_of(frame)
        if data is None:
            return not self.is_done
        try:
            chunk = _CHUNK.decode(data)
        except UNREADABLE:
            self.output_bytes += len(data)
            return True
        for choice in chunk.choices or ():
            self._count(choice.delta)
        if chunk.usage is not None or chunk.error is not None or chunk.service_tier is not None:
            self._note(chunk.usage, chunk.error, chunk.service_tier)
        is_usage_only = not chunk.choices and chunk.usage is not None
        return self.error is None and not (is_usage_only and self._withhold_usage)

    def take(self, frame: bytes) -> dict[str, Any] | None:
        data = self._data_of(frame)
        if data is None:
            return None
        try:
            event = _EVENT.decode(data)
        except UNREADABLE:
            self.output_bytes += len(data)
            return None
        for choice in _dicts(event.get("choices")):
            self._count(choice.get("delta"))
        self._note(event.get("usage"), event.get("error"), event.get("service_tier"))
        return event if self.error is None else None

    def _data_of(self, frame: bytes) -> bytes | None:
        """What is to be read in a frame; the terminal event is only noted."""
        data = data_of(frame)
        if data is not None and data.strip() == DONE:
            self.is_done = self.error is None
            return None
        return data

    def _count(self, delta: Any) -> None:
        self.output_bytes += generated_bytes(delta)
        if not self._shows_reasoning and isinstance(delta, dict):
            shown = delta.get("reasoning_content") or delta.get("reasoning")
            self._shows_reasoning = bool(shown)

    def _note(self, usage: Any, error: Any, service_tier: Any) -> None:
        if error is not None:
            self.error = stream_error(error)
        if isinstance(service_tier, str):
            self.service_tier = service_tier
        if usage is not None:
            self.usage = larger(self.usage, read_usage(usage))
            self.reported_cost_usd = reported_cost(usage) or self.reported_cost_usd


def is_word(frame: bytes) -> bool:
    """Whether a frame is one more piece of the answer; see `late_metering`.

    Quotes inside of a JSON string are escaped, so no text can look like a field.
    """
    return (
        frame.startswith(b"data: {")
        and b'"error"' not in frame
        and (b'"usage"' not in frame or b'"usage":null' in frame or b'"usage": null' in frame)
    )


def _dicts(values: Any) -> list[dict[str, Any]]:
    found = values if isinstance(values, list) else []
    return [cast("dict[str, Any]", value) for value in found if isinstance(value, dict)]


def generated_bytes(message: Any) -> int:
    """UTF-8 length of what a message or a delta generated."""
    if not isinstance(message, dict):
        return 0
    generated = 0
    for field, value in message.items():
        if value is not None and field in _MESSAGE_FIELDS:
            generated += _text_bytes(value)
    return generated


def _text_bytes(value: Any) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))
    return len(msgspec.json.encode(value))
