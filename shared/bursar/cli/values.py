"""What options take: amounts, counts, lengths of time, moments, shares and models.

What cannot be right is refused before anything is sent; what only the gateway can know is left to
it. An empty text stands for nothing: where a field can be cleared, it clears it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

_AMOUNT: Final = re.compile(r"\$?([0-9]{1,15}(?:\.[0-9]{1,12})?)")
_LENGTH: Final = re.compile(r"([0-9]{1,10})([smhdw]?)")
_UNIT_S: Final[Mapping[str, int]] = {
    "": 1,
    "s": 1,
    "m": 60,
    "h": 3_600,
    "d": 86_400,
    "w": 604_800,
}
_CALENDAR: Final = ("day", "week", "month")
_MODEL: Final = re.compile(r"[^:/\s]+[:/]\S+")
_WEIGHED: Final = re.compile(r"(.+)=([0-9]+)")


class _Text(click.ParamType[Any], ABC):
    """A value that is written in one way; texts that are empty pass, to clear a field."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str) or value == "":
            return value
        try:
            return self.read(value.strip())
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)

    @abstractmethod
    def read(self, text: str) -> Any:
        """What the text stands for; raises ValueError saying how to write one."""


class _Amount(_Text):
    name = "usd"

    def read(self, text: str) -> Any:
        return read_amount(text)


class _Count(_Text):
    name = "count"

    def read(self, text: str) -> Any:
        if not text.isascii() or not text.isdigit() or int(text) == 0:
            raise ValueError("write a whole number above nothing")
        return int(text)


class _Length(_Text):
    name = "time"

    def read(self, text: str) -> Any:
        return read_length_s(text)


class _Moment(_Text):
    name = "when"

    def read(self, text: str) -> Any:
        return read_moment(text, datetime.now(UTC))


class _Period(_Text):
    name = "period"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert("none" if value == "" else value, param, ctx)

    def read(self, text: str) -> Any:
        return read_period(text)


class _Target(_Text):
    name = "model[=weight]"

    def read(self, text: str) -> Any:
        found = _WEIGHED.fullmatch(text)
        if found is None:
            return {"model": _model(text)}
        return {"model": _model(found[1]), "weight": int(found[2])}


class _TierDown(_Text):
    name = "model=share"

    def read(self, text: str) -> Any:
        model, _, share = text.rpartition("=")
        return {"model": _model(model), "below_share": read_share(share)}


class _Rate(_Text):
    name = "unit=usd"

    def read(self, text: str) -> Any:
        unit, _, amount = text.partition("=")
        if not unit or not amount:
            raise ValueError("write a unit and its rate, as in cache_write=3.75")
        return unit, read_amount(amount)


class _Tier(_Text):
    name = "tokens:unit=usd,…"

    def read(self, text: str) -> Any:
        threshold, _, rates = text.partition(":")
        if not threshold.isascii() or not threshold.isdigit() or not rates:
            raise ValueError("write it as in 200000:input=5,output=20")
        read = _Rate().read
        return {
            "above_input_tokens": int(threshold),
            "rates": dict(read(each) for each in rates.split(",")),
        }


class _ServiceTier(_Text):
    name = "tier:unit=usd,…"

    def read(self, text: str) -> Any:
        tier, _, rates = text.partition(":")
        if not tier or not rates:
            raise ValueError("write it as in priority:input=2.5,output=20")
        return tier, {"rates": dict(_Rate().read(each) for each in rates.split(","))}


class _Pair(_Text):
    name = "name=text"

    def read(self, text: str) -> Any:
        name, is_there, value = text.partition("=")
        if not name or not is_there:
            raise ValueError("write a name and a value, as in team=search")
        return name, value


AMOUNT: Final = _Amount()
COUNT: Final = _Count()
LENGTH: Final = _Length()
MOMENT: Final = _Moment()
PERIOD: Final = _Period()
TARGET: Final = _Target()
TIER_DOWN: Final = _TierDown()
RATE: Final = _Rate()
TIER: Final = _Tier()
SERVICE_TIER: Final = _ServiceTier()
PAIR: Final = _Pair()


def read_amount(text: str) -> str:
    """US dollars as the API takes them, as text with all digits: from `20`, `$20` or `0.15`."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise ValueError("write US dollars as in 20, $20 or 0.15, with at most 12 decimals")
    return found[1]


def read_length_s(text: str) -> int:
    """Seconds, from `45s`, `30m`, `12h`, `1d`, `2w` or seconds without a unit."""
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise ValueError("write a length of time as in 30m, 12h, 1d or 2w")
    return int(found[1]) * _UNIT_S[found[2]]


def read_moment(text: str, now: datetime) -> str:
    """A moment as the API takes it, from a date, a date and time, or a length of time from now."""
    if _LENGTH.fullmatch(text) and not text.isdigit():
        try:
            later = now + timedelta(seconds=read_length_s(text))
        except OverflowError:
            raise ValueError("that is too far away") from None
        return later.isoformat(timespec="seconds")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            "write a date as in 2027-01-31 or 2027-01-31T12:00:00Z, or a time from now as in 30d"
        ) from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).isoformat()


def read_period(text: str) -> dict[str, Any]:
    """A budget's fields, from `day`, `week`, `month`, a length of time, or `none`."""
    if text in _CALENDAR:
        return {"budget_period": text}
    if text == "none":
        return {"budget_period": None, "budget_duration_sec": None}
    try:
        length_s = read_length_s(text)
    except ValueError:
        raise ValueError(
            "write day, week or month, a length of time as in 30d or 12h, or none"
        ) from None
    return {"budget_duration_sec": length_s}


def read_share(text: str) -> str:
    """A part of a whole as the API takes it, from `10%` or `0.1`."""
    is_percent = text.endswith("%")
    found = _AMOUNT.fullmatch(text.removesuffix("%"))
    share = Decimal(found[1]) / (100 if is_percent else 1) if found else Decimal(0)
    if not 0 < share < 1:
        raise ValueError("write a share above nothing and below all, as in 10% or 0.1")
    return f"{share:f}"


def as_length(value: Any) -> str:
    """Seconds in a cell, in the largest unit that they are a whole number of."""
    if value is None:
        return "-"
    seconds = int(value)
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNIT_S[unit] == 0:
            return f"{seconds // _UNIT_S[unit]}{unit}"
    return f"{seconds}s"


def _model(text: str) -> str:
    if not _MODEL.fullmatch(text):
        raise ValueError("a model names its provider, as in openai:gpt-4o-mini")
    return text
