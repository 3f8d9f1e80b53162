"""Makes chat chunks of a Messages stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.chat_to_messages.answer import (
    arguments_of,
    finish_reason,
    refusal_of,
    signed,
)
from bursar.dialects.chat_writing.chunks import ChunkWriter
from bursar.dialects.messages_usage import joined, read_usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bursar.dialects.translator import Asked

_Event = dict[str, Any]


class MessagesStream:
    """One stream; see `translator.StreamTranslator`.

    A block is open from its `content_block_start` to its `content_block_stop`. What is put together
    meanwhile is signed reasoning only, which a caller can send back only whole.
    """

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._writer = ChunkWriter(asked, "")
        self._open: dict[int, _Event] = {}
        self._calls: dict[int, int] = {}
        self._unsaid: set[int] = set()
        self._usage: _Event = {}

    def event(self, event: _Event) -> Iterable[_Event]:
        handle = _HANDLERS.get(event["type"])
        return handle(self, event) if handle is not None else ()

    def end(self) -> Iterable[_Event]:
        return self._writer.usage(read_usage(self._usage))

    def _start(self, event: _Event) -> Iterable[_Event]:
        message = event["message"]
        self._writer = ChunkWriter(self._asked, message["id"])
        self._usage = joined(self._usage, message.get("usage") or {})
        yield self._writer.start()

    def _block_start(self, event: _Event) -> Iterable[_Event]:
        index, block = event["index"], event["content_block"]
        self._open[index] = dict(block)
        if block["type"] == "tool_use":
            self._calls[index], chunk = self._writer.tool_call(block["id"], block["name"])
            self._unsaid.add(index)
            yield chunk
        elif block["type"] == "text" and block.get("text"):
            yield self._writer.text(block["text"])

    def _block_delta(self, event: _Event) -> Iterable[_Event]:
        index, delta = event["index"], event["delta"]
        kind = delta["type"]
        if kind == "text_delta":
            yield self._writer.text(delta["text"])
        elif kind == "input_json_delta" and delta["partial_json"] and index in self._calls:
            # What the provider's own tools are called with is no call for the caller.
            self._unsaid.discard(index)
            yield self._writer.arguments(self._calls[index], delta["partial_json"])
        elif kind == "thinking_delta" and delta["thinking"]:
            block = self._open[index]
            block["thinking"] = block.get("thinking", "") + delta["thinking"]
            yield self._writer.reasoning(delta["thinking"])
        elif kind == "signature_delta":
            block = self._open[index]
            block["signature"] = block.get("signature", "") + delta["signature"]

    def _block_stop(self, event: _Event) -> Iterable[_Event]:
        index = event["index"]
        block = self._open.pop(index)
        kept = signed(block)
        if kept is not None:
            yield self._writer.thinking_block(kept)
        elif index in self._unsaid:
            self._unsaid.discard(index)
            yield self._writer.arguments(self._calls[index], arguments_of(block.get("input")))

    def _message_delta(self, event: _Event) -> Iterable[_Event]:
        self._usage = joined(self._usage, event.get("usage") or {})
        delta = event["delta"]
        if delta.get("stop_reason") is not None:
            yield self._writer.finish(finish_reason(delta["stop_reason"]), refusal_of(delta))


_HANDLERS: Final[Mapping[str, Callable[[MessagesStream, _Event], Iterable[_Event]]]] = {
    "message_start": MessagesStream._start,  # noqa: SLF001 (same module)
    "content_block_start": MessagesStream._block_start,  # noqa: SLF001
    "content_block_delta": MessagesStream._block_delta,  # noqa: SLF001
    "content_block_stop": MessagesStream._block_stop,  # noqa: SLF001
    "message_delta": MessagesStream._message_delta,  # noqa: SLF001
}
