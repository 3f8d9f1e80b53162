"""Tells what checks find, as they find it."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.doctor.checks import Outcome
from bursar.cli.output import Column, draws
from bursar.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bursar.cli.doctor.checks import Check, Verdict
    from bursar.cli.output import Output

_MARKS: Final = {
    Outcome.PASSED: ("✓", "green"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.SKIPPED: ("–", "yellow"),  # noqa: RUF001 (a dash is meant)
}
_COLUMNS: Final = (
    Column("name", "CHECK"),
    Column("outcome", "VERDICT"),
    Column("seen", "SEEN"),
    Column("remedy", "REMEDY"),
    Column("details", "DETAILS"),
    Column("proves", "PROVES"),
)
_LISTED: Final = (Column("name", "CHECK"), Column("proves", "WHAT IT PROVES"))


def list_checks(output: Output, checks: Iterable[Check]) -> None:
    """Show what there is, without looking at anything."""
    output.rows([{"name": one.name, "proves": one.proves} for one in checks], _LISTED)


def report(output: Output, found: Iterable[tuple[Check, Verdict]]) -> Sequence[Verdict]:
    """Write verdicts as they come, and how many of each there are; all of them."""
    kept: list[Verdict] = []

    def passing() -> Iterator[tuple[Check, Verdict]]:
        for check, verdict in found:
            kept.append(verdict)
            yield check, verdict

    if output.kind == "table":
        for check, verdict in passing():
            _write(check, verdict)
    else:
        output.rows((_record(check, verdict) for check, verdict in passing()), _COLUMNS)
    counts = Counter(verdict.outcome for verdict in kept)
    output.say(", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome))
    return kept


@contextmanager
def looking(output: Output, check: Check) -> Iterator[None]:
    """Show on a terminal which check is at work."""
    is_shown = sys.stderr.isatty() and not output.is_quiet and draws()
    if is_shown:
        click.echo(f"… {check.name}", nl=False, err=True)
    try:
        yield
    finally:
        if is_shown:
            click.echo("\r\033[2K", nl=False, err=True)


def _record(check: Check, verdict: Verdict) -> Mapping[str, Any]:
    return {
        "name": check.name,
        "outcome": str(verdict.outcome),
        "seen": verdict.seen,
        "remedy": verdict.remedy,
        "details": list(verdict.details),
        "proves": check.proves,
    }


def _write(check: Check, verdict: Verdict) -> None:
    click.echo(f"{_mark(verdict.outcome)} {check.name:<11}  {printable(verdict.seen)}")
    for detail in verdict.details:
        click.echo(f"      {printable(detail)}")
    if verdict.remedy is not None:
        sign = "→" if draws() else "Remedy:"
        click.echo(f"      {sign} {printable(verdict.remedy)}")


def _mark(outcome: Outcome) -> str:
    """A sign in colour, or a word where nobody may see colours."""
    sign, colour = _MARKS[outcome]
    return click.style(sign, fg=colour, bold=True) if draws() else f"{outcome.upper():<7}"
