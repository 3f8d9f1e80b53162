"""Which request ids a listing covers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bursar.domain.cursors import request_id_from_cursor, to_cursor
from bursar.domain.ids import first_at, made_at

if TYPE_CHECKING:
    from bursar.domain.audit import AuditFilter
    from bursar.domain.usage import UsageFilter

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_DAY: Final = timedelta(days=1)
_WITHIN_MS: Final = (1 << 80) - 1
_LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """Request ids from `first` to `last`, both included."""

    first: str
    last: str

    @property
    def is_empty(self) -> bool:
        return self.first > self.last

    def within(self, day: str) -> Span:
        """The part that lies in a day, given as `day_of` writes it."""
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        before_next_day = _before(first_at(start + _DAY))
        return Span(max(self.first, first_at(start)), min(self.last, before_next_day))


def span_of(wanted: UsageFilter | AuditFilter, cursor: str | None) -> Span:
    """Bounds by time and cursor. They are whole milliseconds, so the filter still decides.

    Raises:
        InvalidRequest: the cursor is not one that `cursor_after` made.
    """
    first = first_at(_representable(wanted.start or _EPOCH))
    last = _last_at(_representable(wanted.end or _LATEST))
    return Span(
        first, last if cursor is None else min(last, _before(request_id_from_cursor(cursor)))
    )


def cursor_after(request_id: str) -> str:
    """Where the page after this record begins: at the next older one, whatever is added above."""
    return to_cursor(request_id)


def day_of(request_id: str) -> str:
    return made_at(request_id).date().isoformat()


def _representable(moment: datetime) -> datetime:
    return min(max(moment, _EPOCH), _LATEST)


def _last_at(moment: datetime) -> str:
    return str(uuid.UUID(int=uuid.UUID(first_at(moment)).int | _WITHIN_MS))


def _before(request_id: str) -> str:
    return str(uuid.UUID(int=uuid.UUID(request_id).int - 1))
