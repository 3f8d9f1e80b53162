from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bursar.domain.cursors import bad_cursor, from_cursor, to_cursor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.domain.usage import ResetRecord

_Position = tuple[datetime, str]


class MemoryResetLog:
    """The reset log in memory; the port is `ResetLog`."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[_Position, ResetRecord]] = {}

    async def append(self, entry: ResetRecord) -> bool:
        entries = self._entries.setdefault(entry.budget_id, {})
        position = entry.reset_at, entry.subject
        if position in entries:
            return False
        entries[position] = entry
        return True

    async def page(
        self, budget_id: str, *, limit: int, cursor: str | None = None
    ) -> tuple[Sequence[ResetRecord], str | None]:
        entries = self._entries.get(budget_id, {})
        before = None if cursor is None else _position(cursor)
        positions = [at for at in sorted(entries, reverse=True) if before is None or at < before]
        page = positions[:limit]
        following = _cursor(page[-1]) if len(positions) > limit else None
        return [entries[at] for at in page], following


def _cursor(position: _Position) -> str:
    return to_cursor(f"{position[0].isoformat()}#{position[1]}")


def _position(cursor: str) -> _Position:
    reset_at, _, subject = from_cursor(cursor).partition("#")
    try:
        moment = datetime.fromisoformat(reset_at)
    except ValueError:
        raise bad_cursor() from None
    if moment.tzinfo is None:
        raise bad_cursor()
    return moment, subject
