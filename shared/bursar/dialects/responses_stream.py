"""Metering a Responses stream event by event, without changing a byte of what passes.

Every event names its type, in the frame's `event:` line and in its data. The last one holds the
whole response with its usage: `response.completed`, `response.incomplete` or `response.failed`.
Some providers add `[DONE]`, which means nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bursar.dialects.metering import UNREADABLE
from bursar.dialects.openai_usage import reported_cost
from bursar.dialects.responses_answer import generated_bytes
from bursar.dialects.responses_usage import is_search, read_usage, searches_of, with_searches
from bursar.dialects.sse import data_of
from bursar.dialects.stream_errors import StreamError, stream_error
from bursar.domain.unseen import Unseen

if TYPE_CHECKING:
    from decimal import Decimal

    from bursar.domain.usage import TokenUsage

_DONE = b"[DONE]"
_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})
_SHOWN_REASONING = "response.reasoning_text.delta"
_SERVED_CALLS = frozenset({"mcp_call", "web_search_call"})


_ABSENT = msgspec.Raw(b"null")


class _Response(msgspec.Struct):
    usage: Any = None
    tool_usage: Any = None
    service_tier: Any = None
    output: msgspec.Raw = _ABSENT
    error: Any = None


class _Event(msgspec.Struct):
    type: Any = None
    delta: Any = None
    item: msgspec.Raw = _ABSENT
    output_index: Any = None
    response: _Response | None = None
    error: Any = None
    message: Any = None
    code: Any = None


_EVENT = msgspec.json.Decoder(_Event)
_DOCUMENT = msgspec.json.Decoder(dict[str, Any])
_NAME_BYTES_MAX = 80


def is_word(frame: bytes) -> bool:
    """Whether a frame is one more piece of an item; see `late_metering`."""
    return frame.startswith(b"event: response.") and frame.find(b".delta\n", 0, _NAME_BYTES_MAX) > 0


class ResponsesStreamMeter:
    """Reads what passes; see `metering.StreamMeter`.

    A response that failed is over, so its event is both the last words and an error.
    """

    def __init__(self) -> None:
        self.usage: TokenUsage | None = None
        self.output_bytes = 0
        self.reported_cost_usd: Decimal | None = None
        self.service_tier: str | None = None
        self.is_done = False
        self.last_words = b""
        self.error: StreamError | None = None
        self._web_searches = 0
        self._served_calls = 0
        self._hidden: set[Any] = set()
        self._streamed_bytes: dict[Any, int] = {}

    @property
    def unseen(self) -> Unseen | None:
        """Reasoning that is under way, or that ended without its contents, and calls that began."""
        if self.usage is not None:
            return None
        return Unseen(bool(self._hidden), self._served_calls)

    def passes(self, frame: bytes) -> bool:
        if self.is_done:
            return False
        data = data_of(frame)
        if data is not None and data.strip() != _DONE:
            self._meter(frame, data)
        return not self.is_done and self.error is None

    def take(self, frame: bytes) -> dict[str, Any] | None:
        data = data_of(frame)
        if self.is_done or data is None or data.strip() == _DONE:
            return None
        self._meter(frame, data)
        try:
            return _DOCUMENT.decode(data) if self.error is None else None
        except UNREADABLE:
            return None

    def _meter(self, frame: bytes, data: bytes) -> None:
        try:
            self._note(_EVENT.decode(data), frame)
        except UNREADABLE:
            self.output_bytes += len(data)

    def _note(self, event: _Event, frame: bytes) -> None:
        if event.delta is not None:
            self._count(event.output_index, generated_bytes(event.delta))
            if event.type == _SHOWN_REASONING:
                self._hidden.discard(_key(event.output_index))
        elif event.type == "response.output_item.added":
            self._note_start(event.output_index, msgspec.json.decode(event.item))
        elif event.type == "response.output_item.done":
            self._note_item(event.output_index, msgspec.json.decode(event.item))
        elif event.response is not None:
            self._note_response(event.response)
            if event.type in _TERMINAL:
                self._note_end(event.response)
        if event.type == "error" or event.error is not None:
            flat = {"code": event.code, "message": event.message}
            self.error = _read_error(event.error or flat)
        if event.type in _TERMINAL:
            self.is_done = True
            self.last_words = frame

    def _count(self, index: Any, size: int) -> None:
        self.output_bytes += size
        key = _key(index)
        self._streamed_bytes[key] = self._streamed_bytes.get(key, 0) + size

    def _note_start(self, index: Any, item: Any) -> None:
        kind = str(item.get("type")) if isinstance(item, dict) else ""
        if kind == "reasoning":
            self._hidden.add(_key(index))
        self._served_calls += kind in _SERVED_CALLS

    def _note_item(self, index: Any, item: Any) -> None:
        """An item is whole: it may hold what no delta said, such as a name or hidden reasoning."""
        key = _key(index)
        if isinstance(item, dict) and (item.get("encrypted_content") or item.get("content")):
            self._hidden.discard(key)
        unsaid = generated_bytes(item) - self._streamed_bytes.get(key, 0)
        self._count(index, max(unsaid, 0))
        self._web_searches += is_search(item)

    def _note_response(self, response: _Response) -> None:
        if isinstance(response.service_tier, str):
            self.service_tier = response.service_tier
        if response.error is not None:
            self.error = _read_error(response.error)

    def _note_end(self, response: _Response) -> None:
        """Usage counts at the end only: what is told before leaves out what is still to come."""
        output = msgspec.json.decode(response.output)
        items = output if isinstance(output, list) else []
        self.output_bytes = max(self.output_bytes, generated_bytes(items))
        is_counted = bool(items) or response.tool_usage is not None
        searches = searches_of(items, response.tool_usage) if is_counted else self._web_searches
        self.usage = with_searches(read_usage(response.usage), searches)
        self.reported_cost_usd = reported_cost(response.usage)


def _key(index: Any) -> int | None:
    return index if isinstance(index, int) else None


def _read_error(error: Any) -> StreamError:
    is_object = isinstance(error, dict)
    said = f"{error.get('code')}: {error.get('message')}" if is_object else str(error)
    return stream_error(error, said)
