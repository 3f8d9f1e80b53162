"""How sums of usage read: a table, in a terminal with bars, and the days as a line of columns."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.drawing import bar, sparkline
from bursar.cli.output import Column, as_shown, as_usd
from bursar.cli.usage_sums import days_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.cli.output import Output
    from bursar.cli.usage_sums import Summary

_BAR_WIDTH: Final = 16
_TOTAL: Final = "total"


def columns_of(by: Sequence[str]) -> tuple[Column, ...]:
    """A summary's columns, those that it is grouped by first."""
    return (
        *(Column(name, name.upper()) for name in by),
        Column("requests", "REQUESTS", is_number=True),
        Column("errors", "ERRORS", is_number=True),
        Column("prompt_tokens", "IN", is_number=True),
        Column("completion_tokens", "OUT", is_number=True),
        Column("cost", "COST", as_usd, is_number=True),
        Column("share", "SHARE", as_percent, is_number=True),
    )


def as_percent(value: Any) -> str:
    """A share in a cell."""
    return as_shown(None) if value is None else f"{Decimal(value) * 100:.1f}%"


def show_summary(output: Output, summary: Summary, *, is_drawn: bool) -> None:
    """Write a summary as a table whose last line is the total.

    Args:
        is_drawn: with bars, and with the days in one line, as far as the terminal has such
            characters.
    """
    columns, rows = columns_of(summary.by), summary.rows()
    drawn = is_drawn and _has_blocks()
    if drawn:
        _draw_days(summary)
        # Not of the total, whose bar would say nothing.
        rows = [{**row, "bar": row["share"]} for row in rows]
        columns = (*columns, Column("bar", "", _as_bar))
    if rows:
        rows.append({summary.by[0]: _TOTAL, **summary.total.row(summary.total)})
    output.rows(rows, columns)


def _draw_days(summary: Summary) -> None:
    """What each day cost, from the first with a request to the last; gaps are days without any."""
    if "day" not in summary.by:
        return
    at = summary.by.index("day")
    costs: dict[str, Decimal] = {}
    for group, found in summary.groups.items():
        costs[group[at]] = costs.get(group[at], Decimal(0)) + found.cost
    if len(costs) > 1:
        first, last = min(costs), max(costs)
        line = sparkline([costs.get(day, Decimal(0)) for day in days_between(first, last)])
        click.echo(f"{first} {line} {last}")


def _as_bar(value: Any) -> str:
    return "" if value is None else bar(Decimal(value), _BAR_WIDTH)


def _has_blocks() -> bool:
    try:
        "▁█▏".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
