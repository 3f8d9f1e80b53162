"""Counts failed attempts, so that secrets cannot be guessed, and locks for a while.

An attempt is counted before it is looked at and taken back if it succeeds: of many guesses at once,
no more are looked at than the limit says.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bursar.domain.errors import RateLimited, Unauthenticated
from bursar.domain.proofs import proof_digest
from bursar.domain.rates import RateLimit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from bursar.ports import Clock, RateLimiter
    from bursar.services.platform.rules import PlatformRules

_LOCKED = "Too many failed attempts: try again later"
_TOO_MANY = "Too many requests: try again later"


class Attempts:
    """Attempts at secrets of accounts, and requests that nobody has signed in for."""

    def __init__(self, limiter: RateLimiter, rules: PlatformRules, clock: Clock) -> None:
        self._limiter = limiter
        self._rules = rules
        self._clock = clock

    @asynccontextmanager
    async def at_login(self, email: str, source: str) -> AsyncIterator[None]:
        """Count a failed attempt unless the block ends without Unauthenticated.

        Args:
            email: whose account it is.
            source: the network address it comes from.

        Raises:
            RateLimited: the account, or the address, is locked.
        """
        rules, now = self._rules, self._clock()
        limits = (
            _limit("login", email, rules.login_failures_max, rules.login_lock_s),
            _limit("login-from", source, rules.login_source_failures_max, rules.login_lock_s),
        )
        await self._count(limits, now)
        failed = False
        try:
            yield
        except Unauthenticated:
            failed = True
            raise
        finally:
            if not failed:
                for limit in limits:
                    await self._limiter.adjust(limit, tokens=-1, now=now)

    async def take(self, kind: str, subject: str, per_minute: int) -> None:
        """Count a request, which may be anybody's.

        Raises:
            RateLimited: that were more than `per_minute`.
        """
        limit = RateLimit(f"{kind}/{proof_digest(subject)}", requests_max=per_minute)
        window = await self._limiter.take(limit, tokens=0, now=self._clock())
        if window.is_over:
            raise RateLimited(_TOO_MANY, retry_after_s=self._wait_s(window.resets_at_s))

    async def _count(self, limits: Sequence[RateLimit], now: datetime) -> None:
        for index, limit in enumerate(limits):
            window = await self._limiter.take(limit, tokens=1, now=now)
            if window.is_over:
                for counted in limits[:index]:
                    await self._limiter.adjust(counted, tokens=-1, now=now)
                raise RateLimited(_LOCKED, retry_after_s=self._wait_s(window.resets_at_s))

    def _wait_s(self, resets_at_s: int) -> int:
        return max(1, resets_at_s - int(self._clock().timestamp()))


def _limit(kind: str, subject: str, failures_max: int, window_s: int) -> RateLimit:
    # What is counted is written into the table, which should not list addresses.
    name = f"{kind}/{proof_digest(subject)}"
    return RateLimit(name, tokens_max=failures_max, window_s=window_s)
