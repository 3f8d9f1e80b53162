"""Metering a stream of Anthropic's Messages, without changing a byte of what passes.

`message_start` reports the input and `message_delta` the totals; a stream is complete when
`message_stop` says so. Source: Anthropic's reference for streaming.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from bursar.dialects.counts import count_in
from bursar.dialects.messages_usage import joined, read_tier, read_usage
from bursar.dialects.metering import UNREADABLE
from bursar.dialects.openai_usage import larger, reported_cost
from bursar.dialects.sse import data_of, named_frames
from bursar.dialects.stream_errors import StreamError, stream_error
from bursar.domain.unseen import Unseen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from bursar.domain.usage import TokenUsage

_STOP = "message_stop"
_NAMES = frozenset({"type", "id", "tool_use_id"})
_EVENT = msgspec.json.Decoder(dict[str, Any])


class MessagesStreamMeter:
    """Reads what passes; see `metering.StreamMeter`."""

    def __init__(self) -> None:
        self.output_bytes = 0
        self.reported_cost_usd: Decimal | None = None
        self.service_tier: str | None = None
        self.is_done = False
        self.last_words = named_frames([{"type": _STOP}])
        self.error: StreamError | None = None
        self._reported: dict[str, Any] = {}
        self._usage: TokenUsage | None = None
        self._is_counted = False
        self._is_thinking = False
        self._served_calls = 0

    @property
    def unseen(self) -> Unseen | None:
        """Thinking that is under way, and calls that began.

        What is shown of thinking is a summary; the signature at its end holds all of it.
        """
        return None if self._is_counted else Unseen(self._is_thinking, self._served_calls)

    @property
    def usage(self) -> TokenUsage | None:
        """What was reported; until the totals are, no less output than what has come."""
        usage = self._usage
        if usage is None or self._is_counted:
            return usage
        return replace(usage, output_tokens=max(usage.output_tokens, self.output_bytes))

    def passes(self, frame: bytes) -> bool:
        data = data_of(frame)
        if data is None:
            return not self.is_done
        try:
            self._read(_EVENT.decode(data), frame)
        except UNREADABLE:
            self.output_bytes += len(data)
        return self.error is None and not self.is_done

    def take(self, frame: bytes) -> dict[str, Any] | None:
        data = data_of(frame)
        if data is None:
            return None
        try:
            event = _EVENT.decode(data)
        except UNREADABLE:
            self.output_bytes += len(data)
            return None
        self._read(event, frame)
        return event if self.error is None and not self.is_done else None

    def _read(self, event: Mapping[str, Any], frame: bytes) -> None:
        match event.get("type"):
            case "content_block_delta":
                self.output_bytes += generated_bytes(event.get("delta"))
            case "content_block_start":
                block = event.get("content_block")
                self.output_bytes += generated_bytes(block)
                kind = block.get("type") if isinstance(block, dict) else None
                self._is_thinking = kind == "thinking"
                self._served_calls += kind == "server_tool_use"
            case "content_block_stop":
                self._is_thinking = False
            case "message_start":
                message = event.get("message")
                self._note(message.get("usage") if isinstance(message, dict) else None)
            case "message_delta":
                self._note(event.get("usage"))
                self._is_counted |= count_in(event.get("usage"), "output_tokens") > 0
            case "error":
                self.error = stream_error(event.get("error"), type="error")
            case "message_stop":
                self.is_done = self.error is None
                self.last_words = frame
            case _:
                pass

    def _note(self, usage: Any) -> None:
        if not isinstance(usage, dict):
            return
        self._reported = joined(self._reported, usage)
        self._usage = larger(self._usage, read_usage(self._reported))
        self.service_tier = read_tier(self._reported)
        self.reported_cost_usd = reported_cost(self._reported)


def is_word(frame: bytes) -> bool:
    """Whether a frame is one more piece of the answer; see `late_metering`."""
    return frame.startswith(b"event: content_block_delta\n")


def generated_bytes(block: Any) -> int:
    """UTF-8 length of what a content block, or a delta of one, generated.

    The result of a tool that ran at the provider is input, and not generated.
    """
    if not isinstance(block, dict) or str(block.get("type")).endswith("_tool_result"):
        return 0
    generated = 0
    for field, value in block.items():
        if value and field not in _NAMES:
            generated += _bytes_of(value)
    return generated


def _bytes_of(value: Any) -> int:
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))
    return len(msgspec.json.encode(value))
