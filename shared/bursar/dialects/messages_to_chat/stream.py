"""Makes a Messages stream of a chat's chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.messages_to_chat.answer import (
    identifier_of,
    pieces_of,
    reasoning_of,
    stop_reason,
    tool_use,
)
from bursar.dialects.messages_to_chat.open_blocks import OpenBlock, OpenBlocks
from bursar.dialects.messages_to_chat.usage import messages_usage
from bursar.domain.errors import UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bursar.dialects.translator import Asked

_Event = dict[str, Any]
_TEXT: Final = {"type": "text", "text": ""}
_THINKING: Final = {"type": "thinking", "thinking": "", "signature": ""}


class ChatStream:
    """One stream; see `translator.StreamTranslator`.

    Why it ends and what it used is told last, for some providers count in a chunk after the one
    that finishes.
    """

    def __init__(self, asked: Asked, *, hides_thinking: bool) -> None:
        self._asked = asked
        self._hides_thinking = hides_thinking
        self._blocks = OpenBlocks()
        self._calls: dict[Any, OpenBlock] = {}
        self._calls_made = 0
        self._has_started = False
        self._has_refused = False
        self._finish_reason: str | None = None
        self._usage: Any = None

    def event(self, event: _Event) -> Iterable[_Event]:
        yield from self._start(event)
        self._usage = event.get("usage") or self._usage
        for choice in event.get("choices") or ():
            if choice.get("index"):
                continue  # one answer is all that was asked for
            self._take(choice.get("delta") or {})
            self._finish_reason = choice.get("finish_reason") or self._finish_reason
        yield from self._blocks.events()

    def end(self) -> Iterable[_Event]:
        yield from self._start({})
        yield from self._blocks.events(is_end=True)
        reason = stop_reason(
            self._finish_reason, calls=bool(self._calls_made), refused=self._has_refused
        )
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": messages_usage(self._usage),
        }
        yield {"type": "message_stop"}

    def _start(self, chunk: _Event) -> Iterator[_Event]:
        if self._has_started:
            return
        self._has_started = True
        message: dict[str, Any] = {
            "id": identifier_of(chunk, self._asked),
            "type": "message",
            "role": "assistant",
            "model": self._asked.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": messages_usage(chunk.get("usage"), chunk.get("service_tier")),
        }
        yield {"type": "message_start", "message": message}

    def _take(self, delta: Mapping[str, Any]) -> None:
        if not self._hides_thinking:
            self._think(delta)
        for kind, text in pieces_of(delta.get("content")):
            if kind == "text":
                self._say("text", text)
        if delta.get("refusal"):
            self._has_refused = True
            self._say("refusal", delta["refusal"])
        for call in delta.get("tool_calls") or ():
            self._call(call)

    def _say(self, kind: str, text: str) -> None:
        block = self._blocks.last
        if block is None or block.kind != kind:
            block = self._blocks.begin(OpenBlock(kind, _TEXT))
        block.deltas.append({"type": "text_delta", "text": text})

    def _think(self, delta: Mapping[str, Any]) -> None:
        field, text = reasoning_of(delta)
        if text:
            block = self._unsigned() or self._blocks.begin(OpenBlock("thinking", _THINKING))
            block.deltas.append({"type": "thinking_delta", "thinking": text})
            block.signature = field
        for signed in delta.get("thinking_blocks") or ():
            self._sign({name: value for name, value in signed.items() if name != "index"})

    def _sign(self, signed: dict[str, Any]) -> None:
        """Take a whole block of reasoning, whose text has come in fragments already."""
        if signed["type"] != "thinking":
            self._blocks.begin(OpenBlock(signed["type"], signed))
            return
        block = self._unsigned()
        if block is None:
            block = self._blocks.begin(OpenBlock("thinking", _THINKING))
            if signed["thinking"]:
                block.deltas.append({"type": "thinking_delta", "thinking": signed["thinking"]})
        block.signature = signed["signature"]
        block.kind = "signed"

    def _unsigned(self) -> OpenBlock | None:
        last = self._blocks.last
        return last if last is not None and last.kind == "thinking" else None

    def _call(self, call: Mapping[str, Any]) -> None:
        function = call.get("function") or {}
        block = self._calls.get(call.get("index"))
        name, identifier = function.get("name"), call.get("id")
        if name and (block is None or (identifier and identifier != block.start["id"])):
            block = self._begin_call(call, name)
        if block is None:
            raise UpstreamBroken("The provider's stream goes on with a call that it never began")
        arguments = function.get("arguments")
        if arguments and not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        if arguments:
            block.arguments += arguments
            block.deltas.append({"type": "input_json_delta", "partial_json": arguments})

    def _begin_call(self, call: Mapping[str, Any], name: str) -> OpenBlock:
        """A call; Gemini gives all of them one index, and some servers give no id."""
        self._calls_made += 1
        named = {**call, "id": call.get("id") or f"call_{self._calls_made}"}
        block = self._blocks.begin(OpenBlock("tool_use", tool_use(named, name, {})))
        self._calls[call.get("index")] = block
        return block
