"""One timer for all that an answer is waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class IdleTimer:
    """Ends a wait that takes too long, one wait at a time and very many of them.

    To set and cancel a timer for each of them costs more than reading what came. So one is set for
    the first, and when it is due, it is set anew for what is waited for then.

    Args:
        limit_s: the longest wait.
        fail: ends the wait with an error.
    """

    def __init__(self, limit_s: float, fail: Callable[[BaseException], None]) -> None:
        self._limit_s = limit_s
        self._fail = fail
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._waiting_since: float | None = None

    def start(self) -> None:
        """A wait begins."""
        self._waiting_since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._limit_s, self._look)

    def stop(self) -> None:
        """It is over; the next one may begin at any time."""
        self._waiting_since = None

    def close(self) -> None:
        """There will be no other."""
        self.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._waiting_since is None:
            return
        due = self._waiting_since + self._limit_s
        if due <= self._loop.time():
            self._fail(TimeoutError())
        else:
            self._timer = self._loop.call_at(due, self._look)
