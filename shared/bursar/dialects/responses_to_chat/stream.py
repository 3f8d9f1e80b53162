"""A chat stream as the events of a response.

Text and calls stay open until the stream ends, because chat may go on with any of them; reasoning
ends where something else begins. So the output has one message, as the whole answer would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from bursar.dialects.responses_to_chat.open_items import (
    OpenCall,
    OpenItem,
    OpenMessage,
    OpenReasoning,
)
from bursar.dialects.responses_to_chat.output import IN_PROGRESS
from bursar.dialects.responses_to_chat.response import Ending, ending_of, response_object, stem_of
from bursar.dialects.responses_to_chat.said import Said, said_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bursar.dialects.responses_to_chat.response import Given
    from bursar.dialects.responses_to_chat.said import CallPiece

_ItemT = TypeVar("_ItemT", bound=OpenItem)


class ResponseStream:
    """See `translator.StreamTranslator`."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._stem = ""
        self._chat: dict[str, Any] = {}
        self._ending = Ending()
        self._sequence = 0
        self._done_items: dict[int, dict[str, Any]] = {}
        self._open: list[OpenItem] = []
        self._reasoning: OpenReasoning | None = None
        self._message: OpenMessage | None = None
        self._calls: list[tuple[int | None, OpenCall]] = []
        self._beside: dict[str, dict[str, Any]] = {}
        self._empty: dict[str, Any] = {}
        self._has_thought = False

    def event(self, event: dict[str, Any]) -> Iterable[dict[str, Any]]:
        return self._numbered([*self._beginning(event), *self._chunk(event)])

    def end(self) -> Iterable[dict[str, Any]]:
        return self._numbered([*self._beginning({}), *self._closing(), self._terminal()])

    def _numbered(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for event in events:
            event["sequence_number"] = self._sequence
            self._sequence += 1
        return events

    def _beginning(self, chunk: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if self._stem:
            return
        self._stem = stem_of(chunk, self._given.asked)
        for kind in ("created", IN_PROGRESS):
            yield {"type": f"response.{kind}", "response": self._response(IN_PROGRESS)}

    def _chunk(self, chunk: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for name in ("usage", "service_tier"):
            if chunk.get(name) is not None:
                self._chat[name] = chunk[name]
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            yield from self._said(said_in(choice, "delta"))
            reason = choice.get("finish_reason") if isinstance(choice, dict) else None
            if reason is not None:
                self._ending = ending_of(reason)

    def _said(self, said: Said) -> Iterator[dict[str, Any]]:
        self._empty |= said.empty
        if said.reasoning or said.kept:
            yield from self._thought(said)
        if said.text or said.refusal or said.calls:
            yield from self._end_reasoning()
        if said.text or said.refusal or (self._message and said.annotations):
            if self._message is None:
                self._message = self._opened(OpenMessage(self._next, f"msg_{self._stem}"))
                yield self._message.added()
            yield from self._message.say(said)
        for piece in said.calls:
            yield from self._called(piece)

    def _thought(self, said: Said) -> Iterator[dict[str, Any]]:
        self._has_thought = True
        if self._reasoning is None:
            item_id = f"rs_{self._stem}_{self._next}"
            made = OpenReasoning(self._next, item_id, self._given.asked.model)
            self._reasoning = self._opened(made)
            yield self._reasoning.added()
        yield from self._reasoning.say(said)

    def _called(self, piece: CallPiece) -> Iterator[dict[str, Any]]:
        call = self._call_of(piece)
        if call is None:
            place = len(self._calls)
            tool = self._given.toolbox.tool_called(piece.name)
            call_id = piece.call_id or f"call_{self._stem}_{place}"
            call = self._opened(OpenCall(self._next, f"fc_{self._stem}_{place}", tool, call_id))
            self._calls.append((piece.index, call))
            yield call.added()
        if piece.beside:
            self._beside[call.call_id] = piece.beside
        yield from call.say(piece)

    def _call_of(self, piece: CallPiece) -> OpenCall | None:
        """The open call that a piece belongs to.

        Some providers leave the index out, others give every call the same one.
        """
        newest_first = self._calls[::-1]
        for _, call in newest_first:
            if call.call_id == piece.call_id:
                return call
        if piece.name and (piece.call_id or piece.index is None):
            return None
        return next((call for index, call in newest_first if piece.index in (None, index)), None)

    def _end_reasoning(self) -> Iterator[dict[str, Any]]:
        item, self._reasoning = self._reasoning, None
        if item is not None:
            self._open.remove(item)
            yield from self._done(item)

    def _closing(self) -> Iterator[dict[str, Any]]:
        empty = self._empty if self._calls and not self._has_thought else {}
        if empty or self._beside:
            # What belongs to calls goes back with the reasoning, or in an item of its own.
            yield from self._thought(Said(kept=empty))
        if self._reasoning is not None:
            self._reasoning.calls = self._beside
        for item in self._open:
            yield from self._done(item)
        self._open = []

    def _done(self, item: OpenItem) -> Iterator[dict[str, Any]]:
        status = self._ending.item_status
        self._done_items[item.index] = item.item(status)
        yield from item.done(status)

    def _terminal(self) -> dict[str, Any]:
        status = self._ending.status
        return {"type": f"response.{status}", "response": self._response(status)}

    def _response(self, status: str) -> dict[str, Any]:
        return response_object(
            self._given,
            self._stem,
            status=status,
            output=[item for _, item in sorted(self._done_items.items())],
            chat=self._chat,
            ending=self._ending,
        )

    @property
    def _next(self) -> int:
        return len(self._done_items) + len(self._open)

    def _opened(self, item: _ItemT) -> _ItemT:
        self._open.append(item)
        return item
