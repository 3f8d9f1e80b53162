"""`bursar logs`: what the functions of a deployed stack write into their logs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click

from bursar.cli.failures import WRONG_USAGE, Failed
from bursar.cli.log_events import FUNCTIONS, LEVELS, LogEvent, StackLogs, WantedEvents
from bursar.cli.log_lines import line_of
from bursar.cli.moments import PAST
from bursar.cli.options import administers
from bursar.cli.output import Column, draws
from bursar.cli.stack import StackConnection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.cli.options import Session

_SINCE: Final = timedelta(minutes=10)
_COLUMNS: Final = tuple(
    Column(name, name) for name in ("timestamp", "level", "function", "message", "request_id")
)


@click.group()
def logs() -> None:
    """The logs of a deployed stack's functions."""


@logs.command()
@click.option(
    "--function",
    "functions",
    multiple=True,
    type=click.Choice(tuple(FUNCTIONS)),
    help="Only this one's; may be repeated.  [default: all]",
)
@click.option("--follow", "-f", is_flag=True, help="Wait for more, until Ctrl-C.")
@click.option("--since", type=PAST, help="Not before: 1h, or a date and time.  [default: 10m]")
@click.option(
    "--level", type=click.Choice(LEVELS), default="info", help="This and worse.  [default: info]"
)
@click.option("--request", "request_id", help="Only of this request: an answer's x-request-id.")
@administers
def tail(
    session: Session,
    /,
    functions: tuple[str, ...],
    since: datetime | None,
    level: str,
    request_id: str | None,
    *,
    follow: bool,
) -> None:
    """Show log lines, oldest first; of a stack, over CloudWatch.

    Example: bursar logs tail --stack bursar-prod --function proxy --level warning --follow
    """
    connection = session.connection
    if not isinstance(connection, StackConnection):
        raise Failed(
            f"{connection.name} writes its logs to its own standard error: look where it was "
            "started (docker logs NAME, journalctl -u NAME). Those of a stack: --stack NAME",
            WRONG_USAGE,
        )
    if follow and session.output.kind == "json":
        raise Failed("What has no end is no JSON: use -o jsonl", WRONG_USAGE)
    start = since or datetime.now(UTC) - _SINCE
    wanted = WantedEvents(int(start.timestamp() * 1000), level, request_id)
    stack_logs = StackLogs(connection)
    groups = stack_logs.groups(functions or tuple(FUNCTIONS))
    read = stack_logs.follow if follow else stack_logs.read
    try:
        _show(session, read(groups, wanted))
    except KeyboardInterrupt:
        # How following ends.
        session.output.say("")


def _show(session: Session, events: Iterable[LogEvent]) -> None:
    if session.output.kind == "table":
        is_coloured = draws()
        for event in events:
            click.echo(line_of(event, is_coloured=is_coloured))
    else:
        session.output.rows((event.row for event in events), _COLUMNS)
