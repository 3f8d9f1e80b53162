"""Values as databases and configuration files write them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, DecimalException
from typing import Any, Final

from bursar.cli.moments import as_sent

_QUANTUM: Final = Decimal("1e-12")
_USER_ID: Final = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def moment(value: Any) -> datetime | None:
    """A moment in UTC; both gateways write UTC where a database keeps no time zone.

    Raises:
        ValueError: it is none.
    """
    if value in (None, ""):
        return None
    read = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC)


def sent_moment(value: Any) -> str | None:
    return as_sent(moment(value))


def usd(value: Any) -> Decimal:
    """An amount as exact as it was kept, at most twelve digits after the point.

    Floats are read as they are shown: 0.1 is a tenth.
    """
    try:
        amount = Decimal(str(value or 0))
        return max(Decimal(0), amount.quantize(_QUANTUM, rounding=ROUND_HALF_EVEN)).normalize() + 0
    except DecimalException:
        raise ValueError(f"{value!r} is no amount") from None


def mapped(value: Any) -> dict[str, Any]:
    """A JSON column, decoded or not; empty where it holds no object."""
    read = _decoded(value)
    return dict(read) if isinstance(read, Mapping) else {}


def listed(value: Any) -> list[Any]:
    """An array column, or a list of a file; empty where it is none."""
    read = _decoded(value)
    return list(read) if isinstance(read, list | tuple) else []


def is_digest(value: Any) -> bool:
    """Whether it is a SHA-256 in hex."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def wrong_user_id(user_id: str) -> str | None:
    """Why a user cannot have this id here; None where they can."""
    if not _USER_ID.fullmatch(user_id):
        return "its id must have 1 to 200 characters, none of them a control character"
    if user_id.startswith(("/", "project/")) or user_id.endswith("/usage"):
        return "no user's id begins with '/' or 'project/' or ends with '/usage' here"
    return None


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None
