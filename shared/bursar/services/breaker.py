"""Which targets have been failing lately, so that requests with a choice go elsewhere first.

A breaker only changes an order: where every target of a request is failing, they are tried all the
same. It lives in its process and knows what its process has seen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

FAILURES_MAX: Final = 5
"""So many failures of one kind in a row open the breaker."""
COOL_DOWN_S: Final = 30.0
"""How long an open breaker waits before it lets one request try."""
_RATE_LIMITED: Final = "upstream_429"
_RATE_COOL_DOWN_S: Final = 10.0
_COOL_DOWN_MAX_S: Final = 300.0
_UNWELL: Final = frozenset(
    {"upstream_unreachable", "upstream_timeout", "upstream_broken", "upstream_5xx"}
)
_TARGETS_MAX: Final = 10_000


@dataclass(slots=True)
class _Health:
    """A target that fails.

    Attributes:
        failures: in a row: it could not be reached, did not answer, or answered 5xx.
        rate_limits: in a row.
        rests_until: when it may be tried again, on the monotonic clock; None while the breaker is
            closed.
    """

    failures: int = 0
    rate_limits: int = 0
    rests_until: float | None = None


class Breaker:
    """Remembers failing targets; one that works costs nothing to remember.

    Args:
        monotonic: tells the time.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._failing: dict[Hashable, _Health] = {}

    def admits(self, target: Hashable) -> bool:
        """Whether a target should be tried in its turn.

        Of those who ask when its time of rest is over, the first is told that it should: its
        request is the probe, and what becomes of it decides for the others.
        """
        health = self._failing.get(target)
        if health is None or health.rests_until is None:
            return True
        now = self._monotonic()
        if now < health.rests_until:
            return False
        # A probe whose end nobody tells of must not keep everybody away for good.
        health.rests_until = now + COOL_DOWN_S
        return True

    def succeeded(self, target: Hashable) -> None:
        """The target answered as it should."""
        if self._failing:
            self._failing.pop(target, None)

    def failed(self, target: Hashable, failure: str, retry_after_s: float | None = None) -> None:
        """The target failed.

        Args:
            target: which.
            failure: the word by which metrics count it; what is the request's own fault, or that
                of a setting, says nothing about the target's health.
            retry_after_s: how long the target itself wants to be left alone.
        """
        is_rate_limited = failure == _RATE_LIMITED
        if not is_rate_limited and failure not in _UNWELL:
            return
        if len(self._failing) >= _TARGETS_MAX:
            self._failing.clear()
        health = self._failing.setdefault(target, _Health())
        was_open = health.rests_until is not None
        if is_rate_limited:
            health.rate_limits += 1
            count, rest_s = health.rate_limits, retry_after_s or _RATE_COOL_DOWN_S
        else:
            health.failures += 1
            count, rest_s = health.failures, COOL_DOWN_S
        if was_open or count >= FAILURES_MAX:
            health.rests_until = self._monotonic() + min(rest_s, _COOL_DOWN_MAX_S)
