"""Metering answers of Bedrock's Converse and ConverseStream.

A stream is complete when its `metadata` event, which has the usage, has come after `messageStop`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.converse_eventstream import EventMessage, read_message
from bursar.dialects.converse_usage import read_converse_usage
from bursar.dialects.metering import UNREADABLE, MeteredAnswer
from bursar.dialects.stream_errors import StreamError, status_named

if TYPE_CHECKING:
    from decimal import Decimal

    from bursar.domain.unseen import Unseen
    from bursar.domain.usage import TokenUsage

_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])


class ConverseStreamMeter:
    """Reads what passes; see `metering.StreamMeter`.

    Nothing is withheld from a caller of the same dialect: usage is part of its terminal event.
    """

    unseen: Unseen | None = None

    def __init__(self) -> None:
        self.usage: TokenUsage | None = None
        self.output_bytes = 0
        self.reported_cost_usd: Decimal | None = None
        self.service_tier: str | None = None
        self.is_done = False
        self.last_words = b""
        self.error: StreamError | None = None
        self._has_stopped = False

    def passes(self, frame: bytes) -> bool:
        self.take(frame)
        if self.is_done and not self.last_words:
            self.last_words = frame
        return self.error is None and not self.is_done

    def take(self, frame: bytes) -> dict[str, Any] | None:
        message = read_message(frame)
        if message.headers.get(":message-type", "event") != "event":
            self.error = _fault(message)
            return None
        try:
            content = _OBJECT.decode(message.payload)
        except UNREADABLE:
            self.output_bytes += len(message.payload)
            return None
        kind = message.headers.get(":event-type", "")
        self._note(kind, content)
        return {kind: content}

    def _note(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "contentBlockDelta":
            self.output_bytes += _block_bytes(content.get("delta"))
        elif kind == "contentBlockStart":
            self.output_bytes += _block_bytes(content.get("start"))
        elif kind == "messageStop":
            self._has_stopped = True
        elif kind == "metadata":
            self.usage = read_converse_usage(content.get("usage"))
            self.service_tier = _tier(content)
            self.is_done = self._has_stopped and self.error is None


def meter_converse(body: bytes) -> MeteredAnswer:
    """Meter a whole answer."""
    try:
        answer = _OBJECT.decode(body)
    except UNREADABLE:
        return MeteredAnswer(None, len(body))
    output = answer.get("output")
    message = output.get("message") if isinstance(output, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    blocks = content if isinstance(content, list) else []
    return MeteredAnswer(
        read_converse_usage(answer.get("usage")),
        sum(_block_bytes(block) for block in blocks),
        service_tier=_tier(answer),
    )


def _block_bytes(block: Any) -> int:
    """UTF-8 length of what a block, or a piece of one, generated."""
    text = block.get("text") if isinstance(block, dict) else None
    if isinstance(text, str):
        return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    return len(msgspec.json.encode(block)) if block else 0


def _tier(holder: dict[str, Any]) -> str | None:
    tier = holder.get("serviceTier")
    kind = tier.get("type") if isinstance(tier, dict) else None
    return kind if isinstance(kind, str) else None


def _fault(message: EventMessage) -> StreamError:
    headers = message.headers
    name = headers.get(":exception-type") or headers.get(":error-code") or "error"
    says = headers.get(":error-message") or message.payload.decode(errors="replace")
    return StreamError(f"{name}: {says}", status_named(name), message.payload)
