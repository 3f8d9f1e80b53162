"""`bursar audit`: who changed what through the gateway's APIs, and who was not allowed to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.moments import SINCE, UNTIL, as_sent
from bursar.cli.newest import newest, show_newest
from bursar.cli.options import administers
from bursar.cli.output import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bursar.cli.options import Session


def _to_the_second(value: Any) -> str:
    return str(value)[:19].replace("T", " ")


_SHOWN: Final = (
    Column("timestamp", "TIME", _to_the_second),
    Column("who", "WHO"),
    Column("method", "DID"),
    Column("path", "WHERE"),
    Column("status", "ANSWER", is_number=True),
    Column("request_id", "REQUEST"),
)
_FIELDS: Final = tuple(
    Column(name, name)
    for name in (
        *("request_id", "timestamp", "actor_kind", "actor_id", "actor_name"),
        *("method", "route", "ids", "status"),
    )
)


@click.group()
def audit() -> None:
    """The audit log: who changed what, and who was not allowed to."""


@audit.command("list")
@SINCE
@UNTIL
@click.option(
    "--actor",
    help="Only this one's: an email, an ARN, an id, or master_key, aws, person, project, nobody.",
)
@newest
@administers
def list_entries(
    session: Session,
    /,
    since: datetime | None,
    until: datetime | None,
    actor: str | None,
    limit: int | None,
    *,
    is_all: bool,
) -> None:
    """List changes and refusals, newest first. They are kept for 400 days.

    Example: bursar audit list --since 7d --actor ada@example.com
    """
    query = {"start": as_sent(since), "end": as_sent(until), "actor": actor}

    def show(entries: Iterable[dict[str, Any]]) -> None:
        if session.output.kind == "table":
            session.output.rows([_readable(entry) for entry in entries], _SHOWN)
        else:
            session.output.rows(entries, _FIELDS)

    show_newest(session, "/v1/audit", query, show, limit=limit, is_all=is_all)


def _readable(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with its ids where they stood, and its actor in one word."""
    who = entry["actor_name"] or entry["actor_id"] or entry["actor_kind"].replace("_", " ")
    path = entry["route"]
    for name, value in entry["ids"].items():
        path = path.replace(f"{{{name}}}", value)
    return {**entry, "who": who, "path": path}
