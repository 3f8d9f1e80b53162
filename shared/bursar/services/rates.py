"""Requests and tokens a minute, of a key and of its user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bursar.domain.budgets import key_subject, user_subject
from bursar.domain.errors import RateLimited
from bursar.domain.rates import RateLimit, RateWindow
from bursar.ports import RateLimiter

if TYPE_CHECKING:
    from bursar.ports import Clock
    from bursar.services.identity import Caller
    from bursar.services.policy import Policy

# Rates are about load, not money, so they count the usual English token, not the upper bound.
_BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class RateTicket:
    """A request that was counted.

    Attributes:
        windows: limit and use of each window it counts in.
        tokens: what it was counted as.
    """

    limiter: RateLimiter
    taken_at: datetime
    windows: Sequence[tuple[RateLimit, RateWindow]]
    tokens: int

    async def correct(self, tokens: int) -> None:
        """Replace the estimate by what was used."""
        for limit, _ in self.windows:
            if limit.tokens_max is not None and tokens != self.tokens:
                await self.limiter.adjust(limit, tokens=tokens - self.tokens, now=self.taken_at)

    def headers(self) -> dict[str, str]:
        """The seed's headers, of the window with the fewest requests left."""
        counted = [
            (limit.requests_max - window.requests, limit.requests_max, window.resets_at_s)
            for limit, window in self.windows
            if limit.requests_max is not None
        ]
        if not counted:
            return {}
        left, most, resets_at_s = min(counted)
        return {
            "x-ratelimit-limit": str(most),
            "x-ratelimit-remaining": str(max(0, left)),
            "x-ratelimit-reset": str(resets_at_s),
        }


class Rates:
    """Counts requests against their limits."""

    def __init__(self, limiter: RateLimiter, policy: Policy, clock: Clock) -> None:
        self._limiter = limiter
        self._policy = policy
        self._clock = clock

    async def take(
        self, caller: Caller, *, body_bytes: int, output_tokens: int | None
    ) -> RateTicket | None:
        """Count a request; None where nothing limits it.

        Raises:
            RateLimited: a window is full; the request counts in none that was asked after it.
        """
        limits = self._limits(caller)
        if not limits:
            return None
        now = self._clock()
        tokens = body_bytes // _BYTES_PER_TOKEN + (output_tokens or 0)
        windows = []
        for limit in limits:
            window = await self._limiter.take(limit, tokens=tokens, now=now)
            if window.is_over:
                wait_s = window.resets_at_s - int(now.timestamp())
                raise RateLimited("Rate limit exceeded", retry_after_s=max(1, wait_s))
            windows.append((limit, window))
        return RateTicket(self._limiter, now, windows, tokens)

    def _limits(self, caller: Caller) -> list[RateLimit]:
        key, user = caller.key, caller.user
        user_rpm = user.rate_limit_rpm or self._policy.rate_limit_rpm
        limits = [RateLimit(user_subject(user.user_id), user_rpm, user.rate_limit_tpm)]
        if key is not None:
            subject = key_subject(key.key_id)
            limits.append(RateLimit(subject, key.rate_limit_rpm, key.rate_limit_tpm))
        return [limit for limit in limits if limit.is_limiting]
