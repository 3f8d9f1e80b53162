"""Moments in the past: a length of time before now, a date, or a date and time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

_LENGTH: Final = re.compile(r"([0-9]{1,9})([smhdw])")
_UNITS: Final[Mapping[str, str]] = {
    "s": "seconds",
    "m": "minutes",
    "h": "hours",
    "d": "days",
    "w": "weeks",
}


class _Past(click.ParamType[datetime]):
    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, datetime):
            return value
        try:
            return read_past(str(value).strip(), datetime.now(UTC))
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


PAST: Final = _Past()
"""An option's value; a `datetime` in UTC."""

SINCE: Final = click.option(
    "--since", type=PAST, help="Not before: 7d, 24h, 30m, a date, or a date and time (UTC)."
)
UNTIL: Final = click.option("--until", type=PAST, help="Before; written as --since.")


def read_past(text: str, now: datetime) -> datetime:
    """The moment that a text stands for, in UTC.

    Raises:
        ValueError: it stands for none; says how to write one.
    """
    length = _LENGTH.fullmatch(text)
    try:
        if length is not None:
            return now - timedelta(**{_UNITS[length[2]]: int(length[1])})
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "write a time ago as in 7d, 24h or 30m, or a date as in 2026-01-31 or "
            "2026-01-31T12:00:00Z"
        ) from None


def as_sent(moment: datetime | None) -> str | None:
    """A moment as the API takes it."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
