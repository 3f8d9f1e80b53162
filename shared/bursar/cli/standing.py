"""How a gateway stands: its health, what it has, and what was spent lately."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.failures import RefusedByGateway

if TYPE_CHECKING:
    from bursar.cli.connection import Connection
    from bursar.cli.options import Session

_PAGE: Final = 1_000
_PAGES_MAX: Final = 20
_RECENT: Final = 100
_UNAVAILABLE: Final = 503
# Sums of any number of amounts of 38 digits keep all of theirs.
_EXACT: Final = Context(prec=80)
_SHARE: Final = Decimal("0.001")


@dataclass(slots=True)
class Spending:
    """What requests since a moment add up to."""

    since: str
    requests: int = 0
    cost: Decimal = field(default_factory=Decimal)

    def add(self, record: dict[str, Any]) -> None:
        if record["timestamp"] >= self.since:
            self.requests += 1
            self.cost = _EXACT.add(self.cost, Decimal(record["cost"] or 0))


@dataclass(slots=True)
class Spent:
    """Spending of this day and month (UTC's), day by day, and how the last requests ended.

    Attributes:
        by_day: US dollars by day of the month, the first one first.
        is_complete: all of the month was read; else it is the newest requests of it.
    """

    today: Spending
    month: Spending
    by_day: list[Decimal]
    recent: int = 0
    recent_errors: int = 0
    is_complete: bool = True

    def add(self, record: dict[str, Any]) -> None:
        """Count a request; they come newest first. One that its caller left is no error."""
        self.today.add(record)
        self.month.add(record)
        if record["timestamp"] >= self.month.since:
            day = min(int(record["timestamp"][8:10]), len(self.by_day)) - 1
            self.by_day[day] = _EXACT.add(self.by_day[day], Decimal(record["cost"] or 0))
        if self.recent < _RECENT:
            self.recent += 1
            self.recent_errors += record["outcome"] in ("error", "expired")

    @property
    def error_share(self) -> Decimal | None:
        if self.recent == 0:
            return None
        share = Decimal(self.recent_errors) / Decimal(self.recent)
        return share.quantize(_SHARE, ROUND_HALF_EVEN)


def readiness(session: Session) -> dict[str, Any]:
    """What the gateway says of itself; `status`, `database` and `version`."""
    try:
        found: dict[str, Any] = session.ask("GET", "/health/readiness")
    except RefusedByGateway as error:
        if error.status != _UNAVAILABLE:
            raise
        return {"status": "unhealthy", "database": "unavailable", "version": None}
    return found


def configured_providers(connection: Connection) -> list[str]:
    """Providers that can be called, by name."""
    found = connection.ask("GET", "/v1/providers")
    return [each["name"] for each in found if each["is_configured"]]


def count(session: Session, path: str) -> str | int:
    """How many there are, up to a page of them."""
    found = len(session.ask("GET", path, limit=_PAGE))
    return found if found < _PAGE else f"{_PAGE} or more"


def spent(session: Session, now: datetime) -> Spent:
    """Read this month's books, newest first, and the last requests before it if it is young."""
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found = Spent(Spending(_sent(today)), Spending(_sent(month)), [Decimal(0)] * now.day)
    cursor = None
    for number in range(_PAGES_MAX):
        # The first page is small: a gateway that is new, or idle, has no more.
        page = session.ask("GET", "/v1/usage", limit=_PAGE if number else _RECENT, cursor=cursor)
        for record in page["data"]:
            found.add(record)
        cursor = page["next_cursor"]
        if cursor is None or page["data"][-1]["timestamp"] < found.month.since:
            return found
    found.is_complete = False
    return found


def _sent(moment: datetime) -> str:
    """A whole second as records begin with it, so that texts compare as the moments do."""
    return moment.isoformat(timespec="seconds").removesuffix("+00:00")
