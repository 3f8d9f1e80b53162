"""The periods that ended, per budget."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bursar.domain.cursors import bad_cursor, from_cursor, to_cursor
from bursar.domain.usage import ResetRecord
from bursar.store.creation import conflicting
from bursar.store.queries import partition, window
from bursar.store.values import RecordNotation, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.store.call import Attribute, Call

_INSTANT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
_NOTATION: Final = RecordNotation(ResetRecord, in_key=("budget_id", "subject", "reset_at"))


class DynamoResetLog:
    """The port is `ResetLog`. Entries sort by when the reset was due, then by subject."""

    def __init__(self, call: Call, table_name: str) -> None:
        self._call = call
        self._table_name = table_name

    async def append(self, entry: ResetRecord) -> bool:
        """Of two sweepers that reset the same account at once, one enters it."""
        item = _key(entry) | _NOTATION.attributes(entry)
        return await conflicting(self._call, self._table_name, item) is None

    async def page(
        self, budget_id: str, *, limit: int, cursor: str | None = None
    ) -> tuple[Sequence[ResetRecord], str | None]:
        request = partition(self._table_name, _pk(budget_id), newest_first=True)
        if cursor is not None:
            key = {"pk": text(_pk(budget_id)), "sk": text(_position(cursor))}
            request["ExclusiveStartKey"] = key
        items = await window(self._call, request, skip=0, limit=limit + 1)
        following = to_cursor(items[limit - 1]["sk"]["S"]) if len(items) > limit else None
        return [_read(budget_id, item) for item in items[:limit]], following


def _pk(budget_id: str) -> str:
    return f"RESET#{budget_id}"


def _key(entry: ResetRecord) -> dict[str, Attribute]:
    moment = entry.reset_at.astimezone(UTC).strftime(_INSTANT)
    return {"pk": text(_pk(entry.budget_id)), "sk": text(f"{moment}#{entry.subject}")}


def _read(budget_id: str, item: Any) -> ResetRecord:
    reset_at, _, subject = item["sk"]["S"].partition("#")
    return _NOTATION.record(item, budget_id=budget_id, subject=subject, reset_at=reset_at)


def _position(cursor: str) -> str:
    position = from_cursor(cursor)
    try:
        datetime.strptime(position.partition("#")[0], _INSTANT).replace(tzinfo=UTC)
    except ValueError:
        raise bad_cursor() from None
    return position
