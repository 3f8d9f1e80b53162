"""LiteLLM's limits, which are fields of users, keys and teams: a budget each amount and period.

It resets `1d`, `7d` and `30d` at midnight, on Mondays and on the first of the month, as documented
at https://docs.litellm.ai/docs/proxy/budget_reset_and_tz; before, it counted them from a start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from bursar.cli.moments import as_sent
from bursar.cli.moving.findings import Kind
from bursar.cli.moving.reading import moment, usd

if TYPE_CHECKING:
    from bursar.cli.moving.findings import Findings

_LENGTH: Final = re.compile(r"([0-9]{1,6})(mo|[smhdw])")
_UNIT_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_CALENDAR: Final = {86_400: "day", 604_800: "week", 30 * 86_400: "month"}
# Whoever wrote as much, or infinity, wanted none.
_NO_LIMIT_USD: Final = 10**15
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Held:
    """A budget as somebody has it.

    Attributes:
        body: `budget_id`, `budget_started_at` and `spend`, as far as they are.
        remark: what is different from there; may be empty.
    """

    body: Mapping[str, Any]
    remark: str = ""


def budget_of(row: Mapping[str, Any], found: Findings, zone: str, now: datetime) -> Held:
    """Have a row's budget created, and say how its holder comes to it.

    Args:
        row: with `max_budget`, `budget_duration`, `budget_reset_at` and `spend`.
        zone: where days begin there.
    """
    reset_at = moment(row.get("budget_reset_at"))
    spend = usd(0) if reset_at is not None and reset_at <= now else usd(row.get("spend"))
    if row.get("max_budget") is None or not row["max_budget"] < _NO_LIMIT_USD:
        return Held({"spend": spend})
    duration_s, is_month = _length(row.get("budget_duration"))
    calendar = "month" if is_month else _calendar(duration_s, reset_at, zone)
    limit = usd(row["max_budget"])
    period: dict[str, Any] = {}
    if calendar is not None:
        period = {"budget_period": calendar, "time_zone": zone}
    elif duration_s is not None:
        period = {"budget_duration_sec": duration_s}
    budget_id = _id(f"{limit:f}", calendar or duration_s, zone if calendar else "UTC")
    found.add(Kind.BUDGET, budget_id, {"budget_id": budget_id, "max_budget": limit, **period})
    body: dict[str, Any] = {"budget_id": budget_id, "spend": spend}
    if reset_at is not None and duration_s is not None and calendar is None:
        started = min(reset_at - timedelta(seconds=duration_s), now)
        body["budget_started_at"] = as_sent(started)
    has_none = row.get("budget_duration") and calendar is None and duration_s is None
    remark = f"budget_duration {row['budget_duration']} never ends here" if has_none else ""
    return Held(body, remark)


def _length(text: Any) -> tuple[int | None, bool]:
    """A length in seconds, and whether it is a month instead."""
    found = _LENGTH.fullmatch(str(text or ""))
    if found is None:
        return None, False
    count, unit = int(found[1]), found[2]
    if unit == "mo":
        return (None, True) if count == 1 else (count * 30 * 86_400, False)
    return count * _UNIT_S[unit], False


def _calendar(duration_s: int | None, reset_at: datetime | None, zone: str) -> str | None:
    calendar = None if duration_s is None else _CALENDAR.get(duration_s)
    if calendar is None or reset_at is None:
        return calendar
    local = reset_at.astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
    at_midnight = (local.hour, local.minute, local.second) == (0, 0, 0)
    fits = {"day": True, "week": local.weekday() == 0, "month": local.day == 1}[calendar]
    return calendar if at_midnight and fits else None


def _id(limit: str, period: str | int | None, zone: str) -> str:
    """The same for the same budget, so that another import finds it."""
    length = f"{period}s" if isinstance(period, int) else period
    parts = ("litellm", limit, length, None if zone == "UTC" else _UNSAFE.sub("-", zone))
    return "-".join(part for part in parts if part)
