from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.rates import RateLimit, RateWindow

if TYPE_CHECKING:
    from datetime import datetime


class MemoryRateLimiter:
    """Rate windows in memory; the port is `RateLimiter`."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, int], tuple[int, int]] = {}

    async def take(self, limit: RateLimit, *, tokens: int, now: datetime) -> RateWindow:
        window = _window_of(limit, now)
        used = self._windows.get((limit.subject, window), (0, 0))
        requests, total = used[0] + 1, used[1] + tokens
        is_over = _exceeds(requests, limit.requests_max) or _exceeds(total, limit.tokens_max)
        if is_over:
            requests, total = used
        else:
            self._windows[limit.subject, window] = requests, total
        return RateWindow(requests, total, is_over, (window + 1) * limit.window_s)

    async def adjust(self, limit: RateLimit, *, tokens: int, now: datetime) -> None:
        key = limit.subject, _window_of(limit, now)
        used = self._windows.get(key)
        if used is not None:
            self._windows[key] = used[0], used[1] + tokens


def _window_of(limit: RateLimit, now: datetime) -> int:
    return int(now.timestamp()) // limit.window_s


def _exceeds(used: int, most: int | None) -> bool:
    return most is not None and used > most
