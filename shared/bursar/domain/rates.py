"""Rate limits: how many requests and tokens a holder may use in a minute."""

from __future__ import annotations

from dataclasses import dataclass

WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A subject's allowance of one window; None does not limit.

    Windows are whole multiples of `window_s` in Unix time, so a burst across a boundary can use
    two allowances within one window's length. A subject has windows of one length.
    """

    subject: str
    requests_max: int | None = None
    tokens_max: int | None = None
    window_s: int = WINDOW_S

    @property
    def is_limiting(self) -> bool:
        return self.requests_max is not None or self.tokens_max is not None


@dataclass(frozen=True, slots=True)
class RateWindow:
    """What a subject has used of a window, after or without the request at hand.

    Attributes:
        is_over: the request at hand was refused and counts nowhere.
        resets_at_s: Unix time at which the next window begins.
    """

    requests: int
    tokens: int
    is_over: bool
    resets_at_s: int
