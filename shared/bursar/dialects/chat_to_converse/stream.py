"""Makes chat chunks of a Converse stream."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.chat_to_converse.answer import finish_reason, signed
from bursar.dialects.chat_writing.chunks import ChunkWriter
from bursar.dialects.converse_usage import read_converse_usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bursar.dialects.translator import Asked
    from bursar.domain.usage import TokenUsage

_Event = dict[str, Any]


class ConverseStream:
    """One stream; see `translator.StreamTranslator`.

    Only a block with a tool's call has a start of its own; others begin with their first delta.
    What is put together is signed reasoning only, which a caller can send back only whole.
    """

    def __init__(self, asked: Asked, identifier: str) -> None:
        self._writer = ChunkWriter(asked, identifier)
        self._calls: dict[int, int] = {}
        self._unsaid: set[int] = set()
        self._reasoning: dict[int, _Event] = {}
        self._usage: TokenUsage | None = None

    def event(self, event: _Event) -> Iterable[_Event]:
        for kind, content in event.items():
            handle = _HANDLERS.get(kind)
            if handle is not None:
                yield from handle(self, content)

    def end(self) -> Iterable[_Event]:
        return self._writer.usage(self._usage)

    def _start(self, _content: _Event) -> Iterable[_Event]:
        yield self._writer.start()

    def _block_start(self, content: _Event) -> Iterable[_Event]:
        used = content["start"].get("toolUse")
        if used is not None:
            index = content["contentBlockIndex"]
            self._calls[index], chunk = self._writer.tool_call(used["toolUseId"], used["name"])
            self._unsaid.add(index)
            yield chunk

    def _block_delta(self, content: _Event) -> Iterable[_Event]:
        index, delta = content["contentBlockIndex"], content["delta"]
        if "text" in delta:
            yield self._writer.text(delta["text"])
        elif "toolUse" in delta and delta["toolUse"]["input"]:
            self._unsaid.discard(index)
            yield self._writer.arguments(self._calls[index], delta["toolUse"]["input"])
        elif "reasoningContent" in delta:
            yield from self._reasoning_delta(index, delta["reasoningContent"])

    def _reasoning_delta(self, index: int, delta: _Event) -> Iterable[_Event]:
        block = self._reasoning.setdefault(index, {"reasoningText": {}})
        if "redactedContent" in delta:
            # Base64 of any other piece but the last may end in padding: it cannot just be joined.
            pieces = block.get("redactedContent", ""), delta["redactedContent"]
            block["redactedContent"] = b64encode(b"".join(map(b64decode, pieces))).decode()
        for name in delta.keys() & {"text", "signature"}:
            block["reasoningText"][name] = block["reasoningText"].get(name, "") + delta[name]
        if delta.get("text"):
            yield self._writer.reasoning(delta["text"])

    def _block_stop(self, content: _Event) -> Iterable[_Event]:
        index = content["contentBlockIndex"]
        kept = signed(self._reasoning.pop(index, {}))
        if kept is not None:
            yield self._writer.thinking_block(kept)
        elif index in self._unsaid:
            self._unsaid.discard(index)
            yield self._writer.arguments(self._calls[index], "{}")

    def _stop(self, content: _Event) -> Iterable[_Event]:
        yield self._writer.finish(finish_reason(content["stopReason"]))

    def _metadata(self, content: _Event) -> Iterable[_Event]:
        self._usage = read_converse_usage(content.get("usage"))
        return ()


_HANDLERS: Final[Mapping[str, Callable[[ConverseStream, _Event], Iterable[_Event]]]] = {
    "messageStart": ConverseStream._start,  # noqa: SLF001 (same module)
    "contentBlockStart": ConverseStream._block_start,  # noqa: SLF001
    "contentBlockDelta": ConverseStream._block_delta,  # noqa: SLF001
    "contentBlockStop": ConverseStream._block_stop,  # noqa: SLF001
    "messageStop": ConverseStream._stop,  # noqa: SLF001
    "metadata": ConverseStream._metadata,  # noqa: SLF001
}
