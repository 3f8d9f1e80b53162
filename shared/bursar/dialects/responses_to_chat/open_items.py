"""Output items while they grow in a stream.

Each gives its own events, from `response.output_item.added` to `response.output_item.done`; the
stream numbers them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from bursar.dialects.responses_to_chat.output import (
    IN_PROGRESS,
    call_item,
    message_item,
    reasoning_item,
    reasoning_part,
    refusal_part,
    text_part,
)
from bursar.dialects.responses_to_chat.reasoning import Kept, packed, telling_most
from bursar.dialects.responses_to_chat.tools import text_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bursar.dialects.responses_to_chat.said import CallPiece, Said
    from bursar.dialects.responses_to_chat.tools import Tool


class OpenItem(ABC):
    """What all items have in common.

    Attributes:
        index: the item's place in the output.
        item_id: its id.
    """

    def __init__(self, index: int, item_id: str) -> None:
        self.index = index
        self.item_id = item_id

    @abstractmethod
    def item(self, status: str) -> dict[str, Any]:
        """The item as it is now."""

    @abstractmethod
    def closing(self) -> Iterator[dict[str, Any]]:
        """The events that end what is in the item."""

    def added(self) -> dict[str, Any]:
        return self._whole("response.output_item.added", IN_PROGRESS)

    def done(self, status: str) -> Iterator[dict[str, Any]]:
        yield from self.closing()
        yield self._whole("response.output_item.done", status)

    def _whole(self, kind: str, status: str) -> dict[str, Any]:
        return {"type": kind, "output_index": self.index, "item": self.item(status)}

    def _event(self, kind: str, **fields: Any) -> dict[str, Any]:
        return {"type": kind, "item_id": self.item_id, "output_index": self.index, **fields}

    def _part(self, kind: str, index: int, part: dict[str, Any]) -> dict[str, Any]:
        return self._event(f"response.content_part.{kind}", content_index=index, part=part)


class OpenReasoning(OpenItem):
    """The model's reasoning, and what it wants back of it."""

    def __init__(self, index: int, item_id: str, model: str) -> None:
        super().__init__(index, item_id)
        self._model = model
        self._texts: list[str] = []
        self._kept: dict[str, Any] = {}
        self.calls: dict[str, dict[str, Any]] = {}

    def say(self, said: Said) -> Iterator[dict[str, Any]]:
        for name, value in said.kept.items():
            before = self._kept.get(name)
            self._kept[name] = _grown(before, value) if type(before) is type(value) else value
        if not said.reasoning:
            return
        if not self._texts:
            yield self._part("added", 0, reasoning_part(""))
        self._texts.append(said.reasoning)
        yield self._event("response.reasoning_text.delta", content_index=0, delta=said.reasoning)

    def item(self, status: str) -> dict[str, Any]:
        kept = Kept(self._model, telling_most(self._kept) or self._kept, self.calls)
        has_kept = status != IN_PROGRESS and (self._kept or self.calls)
        encrypted = packed(kept) if has_kept else None
        return reasoning_item(self.item_id, "".join(self._texts), encrypted, status)

    def closing(self) -> Iterator[dict[str, Any]]:
        if self._texts:
            text = "".join(self._texts)
            yield self._event("response.reasoning_text.done", content_index=0, text=text)
            yield self._part("done", 0, reasoning_part(text))


class OpenMessage(OpenItem):
    """The model's text or its refusal, each a part of its own, in the order that they came."""

    def __init__(self, index: int, item_id: str) -> None:
        super().__init__(index, item_id)
        self._texts: dict[str, list[str]] = {}
        self._annotations: list[dict[str, Any]] = []
        self._logprobs: list[dict[str, Any]] = []

    def say(self, said: Said) -> Iterator[dict[str, Any]]:
        self._logprobs += said.logprobs
        if said.text:
            yield from self._grow("output_text", said.text, logprobs=list(said.logprobs))
        if said.refusal:
            yield from self._grow("refusal", said.refusal)
        for note in said.annotations if "output_text" in self._texts else ():
            yield self._event(
                "response.output_text.annotation.added",
                content_index=self._place("output_text"),
                annotation_index=len(self._annotations),
                annotation=note,
            )
            self._annotations.append(note)

    def item(self, status: str) -> dict[str, Any]:
        parts = [] if status == IN_PROGRESS else [self._as_part(kind) for kind in self._texts]
        return message_item(self.item_id, parts, status)

    def closing(self) -> Iterator[dict[str, Any]]:
        for place, (kind, texts) in enumerate(self._texts.items()):
            whole: dict[str, Any] = {"refusal": "".join(texts)}
            if kind == "output_text":
                whole = {"text": "".join(texts), "logprobs": self._logprobs}
            yield self._event(f"response.{kind}.done", content_index=place, **whole)
            yield self._part("done", place, self._as_part(kind))

    def _grow(self, kind: str, text: str, **fields: Any) -> Iterator[dict[str, Any]]:
        if kind not in self._texts:
            self._texts[kind] = []
            empty = text_part("") if kind == "output_text" else refusal_part("")
            yield self._part("added", self._place(kind), empty)
        self._texts[kind].append(text)
        place = self._place(kind)
        yield self._event(f"response.{kind}.delta", content_index=place, delta=text, **fields)

    def _place(self, kind: str) -> int:
        return list(self._texts).index(kind)

    def _as_part(self, kind: str) -> dict[str, Any]:
        text = "".join(self._texts[kind])
        if kind == "refusal":
            return refusal_part(text)
        return text_part(text, self._annotations, self._logprobs)


class OpenCall(OpenItem):
    """A call of one of the caller's tools.

    Attributes:
        call_id: what the call's result names.
    """

    def __init__(self, index: int, item_id: str, tool: Tool, call_id: str) -> None:
        super().__init__(index, item_id)
        self._tool = tool
        self.call_id = call_id
        self._arguments: list[str] = []

    def say(self, piece: CallPiece) -> Iterator[dict[str, Any]]:
        if not piece.arguments:
            return
        self._arguments.append(piece.arguments)
        # What other tools are given is only known when the arguments are whole.
        if self._tool.kind == "function":
            yield self._event("response.function_call_arguments.delta", delta=piece.arguments)

    def item(self, status: str) -> dict[str, Any]:
        arguments = "".join(self._arguments)
        return call_item(self.item_id, self._tool, self.call_id, arguments, status)

    def closing(self) -> Iterator[dict[str, Any]]:
        arguments = "".join(self._arguments)
        if self._tool.kind == "function":
            done = {"name": self._tool.name, "arguments": arguments}
            yield self._event("response.function_call_arguments.done", **done)
        elif self._tool.kind == "custom":
            text = text_in(arguments)
            yield self._event("response.custom_tool_call_input.delta", delta=text)
            yield self._event("response.custom_tool_call_input.done", input=text)


def _grown(before: Any, more: Any) -> Any:
    """A kept field with what a further piece of it says.

    Details come as a list of objects; pieces of one object have its index and its type.
    """
    if not isinstance(before, list):
        return before + more
    grown = list(before)
    for detail in more:
        last: Any = grown[-1] if grown else None
        if _is_same(last, detail):
            grown[-1] = {**last, **detail, **_texts_joined(last, detail)}
        else:
            grown.append(detail)
    return grown


def _is_same(first: Any, second: Any) -> bool:
    if not isinstance(first, dict) or not isinstance(second, dict):
        return False
    index = second.get("index")
    return index is not None and (first.get("index"), first.get("type")) == (
        index,
        second.get("type"),
    )


def _texts_joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, str]:
    names = ("text", "summary", "data")
    return {
        name: first[name] + second[name]
        for name in names
        if isinstance(first.get(name), str) and isinstance(second.get(name), str)
    }
