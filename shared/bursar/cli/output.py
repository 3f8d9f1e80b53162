"""What a command makes: a table for people, or JSON, lines of JSON or CSV for programs.

Data goes to standard output, everything else to standard error. Amounts keep all their digits.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from bursar.cli.alignment import on_the_point
from bursar.cli.exact_json import dumped
from bursar.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Kind = Literal["table", "json", "jsonl", "csv"]
KINDS: Final = ("table", "json", "jsonl", "csv")
_EMPTY: Final = "-"
_WHOLE_CHARS: Final = 20
_ENDLESS_CHARS: Final = 10_000


def as_shown(value: Any) -> str:
    """A value in a cell."""
    if value in (None, "", [], {}):
        return _EMPTY
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return dumped(value) if isinstance(value, dict) else str(value)


def as_instant(value: Any) -> str:
    """A moment in a cell, to the minute; the machine-readable outputs have all of it."""
    return as_shown(value)[:16].replace("T", " ") if value else _EMPTY


def as_usd(value: Any) -> str:
    """An amount in a cell, with all its digits and at least the cents."""
    if value is None:
        return _EMPTY
    whole, _, decimals = f"{Decimal(str(value)):f}".partition(".")
    return f"${whole}.{decimals:0<2}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: the field, also the column's name in CSV.
        title: its heading in a table.
        shown: how a value reads in a table.
        is_number: aligned to the right.
    """

    name: str
    title: str
    shown: Callable[[Any], str] = as_shown
    is_number: bool = False

    def cell(self, row: Mapping[str, Any]) -> str:
        """What a record's cell shows."""
        return printable(self.shown(row.get(self.name)))


@dataclass(frozen=True, slots=True)
class Output:
    """Where and how a command's data is written.

    Attributes:
        is_quiet: say nothing that is not asked for.
    """

    kind: Kind = "table"
    is_quiet: bool = False

    def rows(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[Column]) -> None:
        """Write many records; all but the table and JSON as they come."""
        if self.kind == "jsonl":
            for row in rows:
                click.echo(dumped(row))
        elif self.kind == "csv":
            _write_csv(rows, columns)
        elif self.kind == "json":
            click.echo(dumped(list(rows), indent=2))
        else:
            _write_table(list(rows), columns)

    def record(self, row: Mapping[str, Any], columns: Sequence[Column]) -> None:
        """Write one record: as a table its fields are one under the other."""
        if self.kind == "table":
            width = max(len(column.title) for column in columns)
            for column in columns:
                click.echo(f"{column.title:<{width}}  {column.cell(row)}")
        elif self.kind == "json":
            click.echo(dumped(row, indent=2))
        else:
            self.rows([row], columns)

    def say(self, text: str) -> None:
        """Tell a person something that is not the command's data."""
        if not self.is_quiet:
            click.echo(printable(text, keeps="\n"), err=True)


def draws() -> bool:
    """Whether standard output is a terminal that may be drawn on in colours."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _write_csv(rows: Iterable[Mapping[str, Any]], columns: Sequence[Column]) -> None:
    import csv  # noqa: PLC0415 (the other outputs do without)

    from bursar.cli.csv_cells import csv_cell  # noqa: PLC0415

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow([csv_cell(row.get(column.name)) for column in columns])
        # A record may be a key that is told this once: none waits for the next.
        sys.stdout.flush()


def _write_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> None:
    cells = _cells(rows, columns)
    if draws():
        _draw_table(cells, columns)
        return
    titles = [column.title for column in columns]
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    for line in (titles, *cells):
        click.echo("  ".join(_padded(line, widths, columns)).rstrip())


def _cells(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> list[tuple[str, ...]]:
    """The table's cells by row, numbers with their points under each other."""
    by_column = [[column.cell(row) for row in rows] for column in columns]
    aligned = [
        on_the_point(cells) if column.is_number else cells
        for column, cells in zip(columns, by_column, strict=True)
    ]
    return list(zip(*aligned, strict=True))


def _padded(line: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> list[str]:
    return [
        cell.rjust(width) if column.is_number else cell.ljust(width)
        for cell, width, column in zip(line, widths, columns, strict=True)
    ]


def _draw_table(cells: Sequence[Sequence[str]], columns: Sequence[Column]) -> None:
    # A third of what starting this command would cost, were they imported above.
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    for number, column in enumerate(columns):
        width = max(len(column.title), *(len(line[number]) for line in cells), 0)
        # What a record is called by is there to be copied; and short cells read badly in pieces.
        is_whole = number == 0 or width <= _WHOLE_CHARS
        table.add_column(
            column.title,
            justify="right" if column.is_number else "left",
            no_wrap=is_whole,
            min_width=width if is_whole else _WHOLE_CHARS,
            overflow="fold",
        )
    for line in cells:
        # Of a plain text, rich would take what stands in brackets for its own marks.
        table.add_row(*map(Text, line))
    console = Console()
    # Where the terminal is too narrow for that, it breaks lines and nothing is left out.
    needed = console.measure(table, options=console.options.update(max_width=_ENDLESS_CHARS))
    console.width = max(console.width, needed.minimum)
    console.print(table)
