"""`bursar status`: the gateway at a glance."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.drawing import sparkline
from bursar.cli.failures import UNHEALTHY
from bursar.cli.options import administers
from bursar.cli.output import Column, as_shown, as_usd
from bursar.cli.standing import Spent, configured_providers, count, readiness, spent

if TYPE_CHECKING:
    from bursar.cli.options import Session


def _as_spending(value: Any) -> str:
    many = f"{value['requests']} request{'' if value['requests'] == 1 else 's'}"
    return f"{as_usd(value['cost'])} for {many}"


def _as_month(value: Any) -> str:
    whole = "" if value["is_complete"] else "more than "
    return f"{whole}{_as_spending(value)}  {sparkline(value['by_day']).replace(' ', '·')}"


def _as_errors(value: Any) -> str:
    if value["error_share"] is None:
        return "no requests yet"
    share = f"{value['error_share'] * 100:f}".rstrip("0").rstrip(".") or "0"
    many = "request" if value["requests"] == 1 else f"{value['requests']} requests"
    return f"{share}% of the last {many}"


COLUMNS: Final = (
    Column("gateway", "GATEWAY"),
    Column("profile", "PROFILE"),
    Column("status", "STATUS"),
    Column("version", "VERSION"),
    Column("database", "DATA STORE"),
    Column("answer_ms", "ANSWERS IN", lambda value: f"{value} ms"),
    Column("providers", "PROVIDERS", as_shown),
    Column("keys", "KEYS"),
    Column("users", "USERS"),
    Column("budgets", "BUDGETS"),
    Column("today", "TODAY", _as_spending),
    Column("month", "THIS MONTH", _as_month),
    Column("recent", "ERRORS", _as_errors),
)
_HEALTH: Final = COLUMNS[:6]


@click.command()
@click.pass_context
@administers
def status(session: Session, /, context: click.Context) -> None:
    """Show a gateway at a glance: health, spending, errors.

    Days are UTC's. It ends with exit code 6 if the gateway is not ready.

    \b
    Example: bursar status
             bursar status -o json --profile prod
    """  # noqa: D301 (click's own mark, as in every example of two lines)
    health = readiness(session)
    found = {
        "gateway": session.connection.name,
        "profile": session.profile_name,
        **health,
        "answer_ms": _answer_ms(session),
    }
    if health["status"] != "healthy":
        session.output.record(found, _HEALTH)
        context.exit(UNHEALTHY)
    session.output.record({**found, **_contents(session)}, COLUMNS)


def _answer_ms(session: Session) -> int:
    """How long a request takes that asks nothing of the store, with the client loaded."""
    begun_s = time.monotonic()
    session.ask("GET", "/health")
    return round((time.monotonic() - begun_s) * 1000)


def _contents(session: Session) -> dict[str, Any]:
    books = spent(session, datetime.now(UTC))
    return {
        "providers": configured_providers(session.connection),
        **{name: count(session, f"/v1/{name}") for name in ("keys", "users", "budgets")},
        **_spending(books),
    }


def _spending(books: Spent) -> dict[str, Any]:
    """The books as data."""
    return {
        "today": {"cost": books.today.cost, "requests": books.today.requests},
        "month": {
            "cost": books.month.cost,
            "requests": books.month.requests,
            "by_day": books.by_day,
            "is_complete": books.is_complete,
        },
        "recent": {
            "requests": books.recent,
            "errors": books.recent_errors,
            "error_share": books.error_share,
        },
    }
