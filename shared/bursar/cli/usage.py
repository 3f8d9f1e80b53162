"""`bursar usage`: the books, one record a request."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from bursar.cli.listing import cursor_pages
from bursar.cli.newest import newest, show_newest
from bursar.cli.options import administers
from bursar.cli.progress import Span, followed
from bursar.cli.usage_fields import ALL_COLUMNS, full_name, shown_columns
from bursar.cli.usage_filters import PATH, Wanted, narrowed
from bursar.cli.usage_sums import GROUPINGS, Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bursar.cli.options import Session


@click.group()
def usage() -> None:
    """The books, one record a request: list them, add them up, export them."""


@usage.command("list")
@narrowed
@newest
@administers
def list_usage(session: Session, /, limit: int | None, *, is_all: bool, **filters: Any) -> None:
    """List requests, newest first.

    All their fields are in the other outputs; their ids also in a table that is wide enough.

    Example: bursar usage list --user alice --since 24h --status error
    """

    def show(records: Iterable[dict[str, Any]]) -> None:
        if session.output.kind == "table":
            named = ({**record, "full_name": full_name(record)} for record in records)
            session.output.rows(named, shown_columns())
        else:
            session.output.rows(records, ALL_COLUMNS)

    query = Wanted(**filters).query
    show_newest(session, PATH, query, show, limit=limit, is_all=is_all)


@usage.command()
@narrowed
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(tuple(GROUPINGS)),
    default=("day",),
    help="What a line is; several make a line of each combination.  [default: day]",
)
@administers
def summary(session: Session, /, by: tuple[str, ...], **filters: Any) -> None:
    """Add requests up: tokens, errors, cost and its share. Every record in the span is read.

    Example: bursar usage summary --since 7d --by model --by day
    """
    wanted, groupings = Wanted(**filters), tuple(dict.fromkeys(by))
    span = Span(wanted.since, wanted.until)
    with followed(_records(session, wanted), span, session.output, "requests") as records:
        found = Summary.of(records, groupings)
    # How sums are drawn costs only who draws some.
    from bursar.cli.usage_tables import columns_of, show_summary  # noqa: PLC0415

    if session.output.kind == "table":
        show_summary(session.output, found, is_drawn=sys.stdout.isatty())
    else:
        session.output.rows(found.rows(), columns_of(groupings))


@usage.command()
@click.argument("file")
@narrowed
@click.option(
    "--format",
    "named",
    type=click.Choice(("csv", "json", "jsonl", "parquet")),
    help="Unless the file's name says it.",
)
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@administers
def export(
    session: Session, /, file: str, named: str | None, *, force: bool, **filters: Any
) -> None:
    """Write requests to FILE, newest first; - is standard output.

    Reads a page at a time, so any number fits. Parquet needs pyarrow.

    Example: bursar usage export november.parquet --since 2026-11-01 --until 2026-12-01
    """
    # Writers of files cost only who writes some.
    from bursar.cli.usage_files import check_free, format_of, write_records  # noqa: PLC0415

    format_, wanted = format_of(file, named), Wanted(**filters)
    check_free(file, overwrites=force)
    span = Span(wanted.since, wanted.until)
    with followed(_records(session, wanted), span, session.output, "requests") as records:
        count = write_records(records, file, format_)
    session.output.say(f"Wrote {count} request{'s' * (count != 1)} to {file}")


def _records(session: Session, wanted: Wanted) -> Iterator[dict[str, Any]]:
    return cursor_pages(session, PATH, None, **wanted.query)
