"""A log event as one line for people: when, how bad, where, what, and what else is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.output import as_shown
from bursar.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bursar.cli.log_events import LogEvent

_COLOURS: Final = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red", "DEBUG": "bright_black"}
_FUNCTION_WIDTH: Final = len("budget-reset")
_LEVEL_WIDTH: Final = len("CRITICAL")
# What a line says by its place, or below itself.
_PLACED: Final = frozenset(
    {"timestamp", "time", "level", "message", "errorMessage", "logger", "service", "type"}
    | {"exception", "stackTrace", "exception_name", "errorType"}
)


def line_of(event: LogEvent, *, is_coloured: bool) -> str:
    """The line, with a stack's trace indented below it."""
    level = event.level or "-"
    head = (
        f"{event.row['timestamp'][11:23]} {_painted(level, is_coloured=is_coloured)} "
        f"{event.function:<{_FUNCTION_WIDTH}}"
    )
    others = [f"{name}={_word(value)}" for name, value in event.fields.items() if _is_other(name)]
    line = "  ".join((head, _message(event), *others))
    return "\n".join((line, *(f"    {below}" for below in _trace(event))))


def _painted(level: str, *, is_coloured: bool) -> str:
    padded = f"{level:<{_LEVEL_WIDTH}}"
    return click.style(padded, fg=_COLOURS.get(level)) if is_coloured else padded


def _message(event: LogEvent) -> str:
    fields = event.fields
    message = fields.get("message") or fields.get("errorMessage") or fields.get("type") or ""
    return printable(str(message))


def _is_other(name: str) -> bool:
    return name not in _PLACED


def _word(value: Any) -> str:
    text = printable(as_shown(value))
    return f'"{text}"' if " " in text else text


def _trace(event: LogEvent) -> Iterator[str]:
    trace = event.fields.get("exception") or event.fields.get("stackTrace") or ""
    text = "\n".join(map(str, trace)) if isinstance(trace, list) else str(trace)
    for line in text.splitlines():
        yield printable(line)
