"""Waits for what takes a gateway a moment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

FoundT = TypeVar("FoundT")
_PAUSE_S: Final = 0.25


def waited_for(
    look: Callable[[], FoundT], is_there: Callable[[FoundT], bool], timeout_s: float
) -> FoundT:
    """Look until what is wanted is there or time is over; what was seen last."""
    deadline = time.monotonic() + timeout_s
    while not is_there(found := look()) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
    return found
