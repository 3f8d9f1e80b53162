"""The kinds of values that requests and answers are made of, and how they are validated."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from functools import partial
from typing import Annotated, Any
from zoneinfo import available_timezones

import msgspec
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from bursar.domain.money import QUANTUM_USD, canonical
from bursar.domain.projects import is_project_user

_AMOUNT_END = 10**15
_AMOUNT_TEXT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,12})?")
_AMOUNT_SCHEMA = {
    "anyOf": [
        {"type": "number", "minimum": 0, "exclusiveMaximum": _AMOUNT_END},
        {"type": "string", "pattern": f"^{_AMOUNT_TEXT.pattern}$"},
    ]
}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_METADATA_BYTES_MAX = 64 * 1024
_METADATA_DEPTH_MAX = 16
_DIGITS_MAX = 28
_SHARE_DIGITS_MAX = 6


def _number(value: object) -> object:
    """Let numbers pass as they were written, and decimal text; pydantic alone takes much more."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError("Input should be a valid number")  # noqa: TRY004 (pydantic wants it)
    if isinstance(value, str) and not _AMOUNT_TEXT.fullmatch(value):
        raise ValueError("Input should be a valid decimal number")
    return value


def _rounded(value: Decimal, rounding: str) -> Decimal:
    """Keep what every sum of such amounts can hold exactly: at most 27 digits."""
    context = Context(prec=_DIGITS_MAX, rounding=rounding)
    return canonical(value.quantize(QUANTUM_USD, context=context)).copy_abs()


def _short(value: Decimal) -> Decimal:
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_SHARE_DIGITS_MAX:
        raise ValueError(f"Input should have at most {_SHARE_DIGITS_MAX} decimal places")
    return canonical(value)


def _integer(value: object) -> object:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("Input should be a valid integer")  # noqa: TRY004 (pydantic wants it)
    return value


def _date_text(value: object) -> object:
    """Numbers would be taken for Unix time in one of two units, so only dates are read."""
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE.match(value)):
        return value
    raise ValueError("Input should be a valid datetime, as in 2030-01-31T12:00:00Z")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        raise ValueError("Input should be between the years 1 and 9999 in UTC") from None


def _user_id(value: str) -> str:
    if value.startswith("/") or value.endswith("/usage"):
        raise ValueError("A user's id cannot begin with '/' or end with '/usage'")
    if is_project_user(value):
        raise ValueError("A user whose id begins with 'project/' is made with its project")
    return value


def _time_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("Input should be a time zone's IANA name, as in 'Europe/Berlin'")
    return value


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = _plain(value, _METADATA_DEPTH_MAX)
    if len(msgspec.json.encode(plain)) > _METADATA_BYTES_MAX:
        raise ValueError("Metadata should be at most 64 KiB of JSON")
    return plain


def _plain(value: Any, depth_left: int) -> Any:
    """Metadata is free-form and nobody's money, so its numbers are what JSON readers make them."""
    if depth_left == 0:
        raise ValueError(f"Metadata should be nested at most {_METADATA_DEPTH_MAX} deep")
    if isinstance(value, Mapping):
        return {name: _plain(item, depth_left - 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth_left - 1) for item in value]
    return _float(value) if isinstance(value, Decimal) else value


def _float(value: Decimal) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("Numbers in metadata should fit a double")
    return number


LimitUsd = Annotated[
    Decimal,
    BeforeValidator(_number),
    Field(ge=0, lt=_AMOUNT_END),
    AfterValidator(partial(_rounded, rounding=ROUND_FLOOR)),
    WithJsonSchema(_AMOUNT_SCHEMA),
]
"""A limit in US dollars; digits beyond the twelfth after the point are cut off."""

RateUsd = Annotated[
    Decimal,
    BeforeValidator(_number),
    Field(ge=0, lt=_AMOUNT_END),
    AfterValidator(partial(_rounded, rounding=ROUND_CEILING)),
    WithJsonSchema(_AMOUNT_SCHEMA),
]
"""A price in US dollars; digits beyond the twelfth after the point are rounded up."""

Usd = Annotated[Decimal, WithJsonSchema({"type": "number"})]
"""US dollars in an answer: a JSON number with all its digits."""

Share = Annotated[
    Decimal,
    BeforeValidator(_number),
    Field(gt=0, lt=1),
    AfterValidator(_short),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
]
"""A part of something, above nothing and below all of it."""

Integer = Annotated[int, BeforeValidator(_integer)]
Instant = Annotated[
    datetime,
    BeforeValidator(_date_text),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A point in time; UTC unless it says otherwise."""

UserId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_user_id),
]
Name = Annotated[str, StringConstraints(max_length=500)]
BudgetId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ModelPattern = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""A pattern of models, provider included, or the name of an alias, which the services check."""
ModelPatterns = Annotated[tuple[ModelPattern, ...], Field(max_length=200)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
PerMinute = Annotated[Integer, Field(ge=1, le=10**12)]
Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]
