"""Request ids: UUID version 7 (RFC 9562, section 5.7), which sort by the time they were made.

One id names a request everywhere: in the answer's headers, as the hold in every account and as
the usage record's sort key, so that any of them leads to the others without an index.
"""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime

_RANDOM_BITS = 74
_VERSION_AND_VARIANT = (0x7 << 76) | (0b10 << 62)


def request_id(now: datetime) -> str:
    """Make an id whose first 48 bits are `now` in Unix milliseconds."""
    return _at(int(now.timestamp() * 1000), secrets.randbits(_RANDOM_BITS))


def made_at(identifier: str) -> datetime:
    """Tell when an id was made, to the millisecond, in UTC."""
    return datetime.fromtimestamp((uuid.UUID(identifier).int >> 80) / 1000, UTC)


def first_at(moment: datetime) -> str:
    """The smallest id that can be made at a moment: an inclusive lower bound for a range."""
    return _at(int(moment.timestamp() * 1000), 0)


def _at(unix_ms: int, random: int) -> str:
    high, low = random >> 62, random & ((1 << 62) - 1)
    return str(uuid.UUID(int=(unix_ms << 80) | _VERSION_AND_VARIANT | (high << 64) | low))
