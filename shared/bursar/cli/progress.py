"""How far a long command is, on standard error where that is a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bursar.cli.output import Output


@dataclass(frozen=True, slots=True)
class Span:
    """The time that records are read of, newest first; without a start nobody knows how much."""

    start: datetime | None
    end: datetime | None


@contextmanager
def followed(
    records: Iterable[Mapping[str, Any]], span: Span, output: Output, what: str
) -> Iterator[Iterable[Mapping[str, Any]]]:
    """Give the same records, with a bar that moves as they pass, if somebody watches."""
    if output.is_quiet or not sys.stderr.isatty():
        yield records
        return
    # A third of what starting this command would cost, were it imported above.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]:,} " + what),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        end = span.end or datetime.now(UTC)
        total = None if span.start is None else max((end - span.start).total_seconds(), 1.0)
        task = progress.add_task("Reading", total=total, count=0)

        def passing() -> Iterator[Mapping[str, Any]]:
            for count, record in enumerate(records, 1):
                progress.update(task, count=count, completed=_done(record, end, total))
                yield record
            progress.update(task, completed=total)

        yield passing()


def _done(record: Mapping[str, Any], end: datetime, total: float | None) -> float | None:
    """The seconds that are read; None where nobody knows how many there are."""
    if total is None:
        return None
    moment = datetime.fromisoformat(record["timestamp"])
    return min((end - moment).total_seconds(), total)
