"""Counts in a provider's JSON, where anything may stand in their place."""

from __future__ import annotations

from typing import Any

# No answer is that long, and a price times anything longer may not fit the books' digits.
COUNT_MAX = 10**12


def count_in(holder: Any, field: str) -> int:
    """The count under a field; 0 where there is none, or none that could be true."""
    value = holder.get(field) if isinstance(holder, dict) else None
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 < value <= COUNT_MAX else 0
