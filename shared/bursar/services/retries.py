"""Which failures are worth another attempt, where, and after how long.

All of this is about failures that the provider does not bill: it could not be reached, or answered
with an error. What may have been billed is never tried again.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# The caller's own request may do at the same provider a moment later.
_PASSING: Final = frozenset({408, 409, 429, 500, 502, 503, 529})
# The provider does not serve this deployment, or not this model, or the model failed, which is what
# Bedrock says with 424; another one may.
_MISPLACED: Final = frozenset({401, 402, 403, 404, 410, 424})
_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_FIRST_WAIT_S: Final = 0.25
_WAIT_MAX_S: Final = 4.0
_CROWD_WAIT_MAX_S: Final = 0.5
RETRY_AFTER_MAX_S: Final = 10.0
"""Whoever is told to wait longer than this should wait at home."""
WORTHWHILE_S: Final = 1.0
"""An attempt with less time than this is not begun."""


def is_passing(status: int | None, headers: Mapping[str, str]) -> bool:
    """Whether the same target may be asked again; a status of None was not reached at all."""
    if headers.get("x-should-retry") == "false":
        return False
    return status is None or status in _PASSING


def is_misplaced(status: int | None) -> bool:
    """Whether another target may do better: whatever is not the fault of the request itself."""
    return status is None or status >= 500 or status < 400 or status in _PASSING | _MISPLACED


def wait_s(failures: int, retry_after_s: float | None, draw: Callable[[], float]) -> float | None:
    """How long to wait before the next attempt at the same target, None for too long.

    Args:
        failures: how many there have been at this target, at least 1.
        retry_after_s: what the provider asked for.
        draw: gives numbers from 0 up to but without 1, evenly spread.
    """
    if retry_after_s is not None:
        return retry_after_s if retry_after_s <= RETRY_AFTER_MAX_S else None
    longest = min(_WAIT_MAX_S, _FIRST_WAIT_S * 2.0**failures)
    # Requests that failed together should not come back together.
    return longest * (0.5 + draw() / 2)


def crowd_wait_s(draw: Callable[[], float]) -> float:
    """How long to wait for others to let go of a budget; spread, so that some ask after others."""
    return _CROWD_WAIT_MAX_S * draw()


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """What `Retry-After` or `retry-after-ms` ask for; None where they say nothing sensible."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None or text is None:
        return seconds
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds())


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text) else None
