"""Values kept in memory for a few seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

IdT = TypeVar("IdT", bound="Hashable")
ValueT = TypeVar("ValueT")

_ENTRIES_MAX = 10_000


class Fresh(Generic[IdT, ValueT]):
    """Values by id, read again once they are older than `age_s`.

    Args:
        read: asks the directory.
        age_s: how long an answer is good for.
        keeps_absence: remember as well that there is none. Not for what an administrator adds
            because it was missed, which should be there at once.
        monotonic: tells the time.
    """

    def __init__(
        self,
        read: Callable[[IdT], Awaitable[ValueT | None]],
        age_s: float,
        *,
        keeps_absence: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._age_s = age_s
        self._keeps_absence = keeps_absence
        self._monotonic = monotonic
        self._kept: dict[IdT, tuple[float, ValueT | None]] = {}

    async def get(self, record_id: IdT) -> ValueT | None:
        now = self._monotonic()
        kept = self._kept.get(record_id)
        if kept is not None and now < kept[0]:
            return kept[1]
        return await self.get_again(record_id)

    async def get_again(self, record_id: IdT) -> ValueT | None:
        """Read a value whatever is kept of it."""
        now = self._monotonic()
        value = await self._read(record_id)
        if value is None and not self._keeps_absence:
            return None
        if len(self._kept) >= _ENTRIES_MAX:
            self._kept.clear()
        self._kept[record_id] = (now + self._age_s, value)
        return value

    def forget(self, record_id: IdT) -> None:
        """Read a value the next time that it is asked for."""
        self._kept.pop(record_id, None)
