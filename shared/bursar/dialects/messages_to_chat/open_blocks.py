"""The content blocks of a stream, one after the other as Anthropic sends them.

A chat stream may mix what it says: text among calls, fragments of several calls in turn. In
Anthropic's, a block ends before the next begins, and many clients rely on that. So the first
block that has not ended is passed on as it comes, and what belongs to later ones waits. Text has
ended when something else begins, a call when its arguments are a whole object; so nothing waits
unless fragments of calls really interleave.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from bursar.dialects.metering import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

_Event = dict[str, Any]


@dataclass(slots=True)
class OpenBlock:
    """A block that has begun.

    Attributes:
        kind: what its text is: `text`, `refusal`, `thinking`, or `tool_use`.
        start: the block as it begins.
        deltas: what has come of it and was not passed on.
        signature: what ends a block of thinking.
        arguments: all that has come of a call's.
    """

    kind: str
    start: dict[str, Any]
    deltas: list[dict[str, Any]] = field(default_factory=list)
    signature: str | None = None
    arguments: str = ""
    has_started: bool = False

    @property
    def may_end(self) -> bool:
        """Whether nothing more can come of it once another block has begun."""
        if self.kind != "tool_use":
            return True
        if not self.arguments.rstrip().endswith("}"):
            return False
        try:
            return isinstance(msgspec.json.decode(self.arguments), dict)
        except UNREADABLE:
            return False


class OpenBlocks:
    """Blocks in the order in which they began."""

    def __init__(self) -> None:
        self._blocks: deque[OpenBlock] = deque()
        self._index = 0

    @property
    def last(self) -> OpenBlock | None:
        return self._blocks[-1] if self._blocks else None

    def begin(self, block: OpenBlock) -> OpenBlock:
        self._blocks.append(block)
        return block

    def events(self, *, is_end: bool = False) -> Iterator[_Event]:
        """What can be passed on now, at the end all that is left."""
        while self._blocks:
            block = self._blocks[0]
            yield from self._passed(block)
            has_next = len(self._blocks) > 1
            if not is_end and not (has_next and block.may_end):
                return
            yield from self._ended(block)
            self._blocks.popleft()

    def _passed(self, block: OpenBlock) -> Iterator[_Event]:
        if not block.has_started:
            block.has_started = True
            start = {"type": "content_block_start", "index": self._index}
            yield {**start, "content_block": block.start}
        for delta in block.deltas:
            yield self._delta(delta)
        block.deltas.clear()

    def _ended(self, block: OpenBlock) -> Iterator[_Event]:
        if block.signature is not None:
            yield self._delta({"type": "signature_delta", "signature": block.signature})
        yield {"type": "content_block_stop", "index": self._index}
        self._index += 1

    def _delta(self, delta: dict[str, Any]) -> _Event:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}
