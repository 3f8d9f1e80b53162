"""Metering an OpenAI-shaped stream frame by frame, without changing a byte of what passes.

The usage chunk that was only sent because the gateway asked for it is withheld from a caller who
did not. A stream is complete when it says `[DONE]`, and broken when it ends without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bursar.dialects.openai_usage import larger, read_usage
from bursar.dialects.sse import data_of, frame_of

if TYPE_CHECKING:
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
    }
)


class _Choice(msgspec.Struct):
    delta: dict[str, Any] | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading a provider's JSON may raise; its bytes pass on and are metered by their length."""


class StreamMeter:
    """Reads what passes.

    Attributes:
        usage: what the provider reported so far, None if nothing.
        output_bytes: length of everything generated so far, in UTF-8; no fewer than its tokens.
        is_done: the terminal event has come.
        error: what the provider said went wrong, for the books only; None if nothing did.
    """

    def __init__(self, *, withhold_usage: bool) -> None:
        self._withhold_usage = withhold_usage
        self.usage: TokenUsage | None = None
        self.output_bytes = 0
        self.is_done = False
        self.error: str | None = None

    def passes(self, frame: bytes) -> bool:
        """Meter a frame; tell whether it goes on to the caller."""
        data = data_of(frame)
        if data is None:
            return True
        if data.strip() == DONE:
            self.is_done = True
            return False
        return self._read(data)

    def _read(self, data: bytes) -> bool:
        try:
            chunk = _CHUNK.decode(data)
        except UNREADABLE:
            self.output_bytes += len(data)
            return True
        if chunk.error is not None:
            self.error = str(chunk.error)
            return False
        for choice in chunk.choices or ():
            self.output_bytes += generated_bytes(choice.delta)
        self.usage = larger(self.usage, read_usage(chunk.usage))
        is_usage_only = not chunk.choices and chunk.usage is not None
        return not (is_usage_only and self._withhold_usage)


def generated_bytes(message: Any) -> int:
    """UTF-8 length of what a message or a delta generated."""
    if not isinstance(message, dict):
        return 0
    return sum(
        _text_bytes(value)
        for field, value in message.items()
        if value is not None and field in _MESSAGE_FIELDS
    )


def _text_bytes(value: Any) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))
    return len(msgspec.json.encode(value))
