"""A gateway at a glance: what the books add up to."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bursar.cli.options import Session
from bursar.cli.output import Output
from bursar.cli.profiles import Profile
from bursar.cli.standing import spent

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)


def _record(timestamp: str, cost: str | None, outcome: str = "success") -> dict[str, Any]:
    return {
        "timestamp": timestamp,
        "cost": None if cost is None else Decimal(cost),
        "outcome": outcome,
    }


class _Books:
    """Pages by cursor."""

    name = url = "books"

    def __init__(self, *pages: list[dict[str, Any]]) -> None:
        self._pages = pages
        self.read = 0

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        at = int(str((query or {}).get("cursor") or 0))
        self.read += 1
        more = str(at + 1) if at + 1 < len(self._pages) else None
        return {"data": self._pages[at], "next_cursor": more}

    def session(self) -> Session:
        return Session(self, Output(), Profile())


def test_days_and_the_month_are_summed_exactly() -> None:
    books = _Books(
        [
            _record("2026-11-03T11:00:00.5Z", "0.1"),
            _record("2026-11-03T00:00:00.25Z", "0.2"),
            _record("2026-11-02T23:59:59.999Z", "0.3", "error"),
            _record("2026-11-01T00:00:00Z", None, "disconnected"),
            _record("2026-10-31T23:59:59Z", "100"),
        ]
    )
    found = spent(books.session(), NOW)
    assert (found.today.requests, found.today.cost) == (2, Decimal("0.3"))
    assert (found.month.requests, found.month.cost) == (4, Decimal("0.6"))
    assert found.by_day == [Decimal(0), Decimal("0.3"), Decimal("0.3")]
    assert (found.recent, found.recent_errors) == (5, 1)
    assert found.error_share == Decimal("0.2")
    assert found.is_complete


def test_reading_ends_where_the_month_began() -> None:
    books = _Books(
        [_record("2026-11-03T11:00:00Z", "1")],
        [_record("2026-10-30T11:00:00Z", "1")],
        [_record("2026-10-29T11:00:00Z", "1")],
    )
    assert spent(books.session(), NOW).month.cost == 1
    assert books.read == 2


def test_a_month_that_is_too_much_to_read_says_so() -> None:
    books = _Books(*[[_record("2026-11-03T11:00:00Z", "1")]] * 50)
    found = spent(books.session(), NOW)
    assert not found.is_complete
    assert found.month.requests == 20


def test_no_requests_have_no_share_of_errors() -> None:
    assert spent(_Books([]).session(), NOW).error_share is None
