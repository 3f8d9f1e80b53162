"""Periods: the stretches of time that an account covers.

A rolling period counts from when a budget was assigned, in whole multiples of its length, so it
never drifts to when a request happened to come. A calendar period is a day, a week (ISO's, from
Monday, or one from Sunday) or a month in the budget's time zone. Both ends are instants in UTC,
the end excluded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

_OPEN_END = ".."
_ISO = "%Y-%m-%dT%H:%M:%S.%fZ"


class Calendar(StrEnum):
    DAY = "day"
    WEEK = "week"
    SUNDAY_WEEK = "sunday_week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to `end`, or without end where `end` is None."""

    start: datetime
    end: datetime | None = None

    def __str__(self) -> str:
        """An interval in ISO 8601-2's notation, which sorts by its start."""
        return _notation(self)

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read what `str` wrote.

        Raises:
            ValueError: not such an interval.
        """
        start, _, end = text.partition("/")
        return cls(_instant(start), None if end == _OPEN_END else _instant(end))

    def is_over(self, now: datetime) -> bool:
        return self.end is not None and now >= self.end


def rolling(started_at: datetime, duration_s: int, now: datetime) -> Period:
    """The multiple of `duration_s` after `started_at` that `now` falls into."""
    duration = timedelta(seconds=duration_s)
    elapsed = max(0, (now - started_at) // duration)
    start = started_at + elapsed * duration
    return Period(start, start + duration)


def calendar(unit: Calendar, time_zone: str, now: datetime) -> Period:
    """The day, week or month of `now` in a time zone.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: no such time zone.
    """
    local = now.astimezone(_zone(time_zone))
    first = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, fold=0)
    match unit:
        case Calendar.DAY:
            following = first + timedelta(days=1)
        case Calendar.WEEK:
            first -= timedelta(days=first.weekday())
            following = first + timedelta(days=7)
        case Calendar.SUNDAY_WEEK:
            first -= timedelta(days=(first.weekday() + 1) % 7)
            following = first + timedelta(days=7)
        case Calendar.MONTH:
            first = first.replace(day=1)
            following = (first + timedelta(days=32)).replace(day=1)
    return Period(_utc(first, time_zone), _utc(following, time_zone))


@lru_cache(maxsize=1024)
def _notation(period: Period) -> str:
    """Kept, because every write to an account needs it."""
    end = _OPEN_END if period.end is None else period.end.strftime(_ISO)
    return f"{period.start.strftime(_ISO)}/{end}"


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _utc(wall_clock: datetime, time_zone: str) -> datetime:
    return wall_clock.replace(tzinfo=_zone(time_zone)).astimezone(UTC)


def _instant(text: str) -> datetime:
    return datetime.strptime(text, _ISO).replace(tzinfo=UTC)
