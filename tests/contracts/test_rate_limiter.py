from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bursar.domain.rates import RateLimit, RateWindow

if TYPE_CHECKING:
    from bursar.ports import RateLimiter
    from tests.contracts.stores import Ports

NOW = datetime(2026, 11, 22, 18, 30, 20, tzinfo=UTC)
NEXT_MINUTE_S = int(NOW.replace(second=0).timestamp()) + 60
LIMIT = RateLimit("key/one", requests_max=3, tokens_max=1_000)


@pytest.fixture
def limiter(ports: Ports) -> RateLimiter:
    return ports.rate_limiter


async def test_requests_and_tokens_add_up(limiter: RateLimiter) -> None:
    first = await limiter.take(LIMIT, tokens=100, now=NOW)
    second = await limiter.take(LIMIT, tokens=50, now=NOW + timedelta(seconds=39))

    assert first == RateWindow(1, 100, is_over=False, resets_at_s=NEXT_MINUTE_S)
    assert second == RateWindow(2, 150, is_over=False, resets_at_s=NEXT_MINUTE_S)


async def test_one_request_too_many_is_refused_and_not_counted(limiter: RateLimiter) -> None:
    for _ in range(3):
        await limiter.take(LIMIT, tokens=1, now=NOW)

    refused = await limiter.take(LIMIT, tokens=1, now=NOW)

    assert refused == RateWindow(3, 3, is_over=True, resets_at_s=NEXT_MINUTE_S)
    assert await limiter.take(LIMIT, tokens=1, now=NOW) == refused


async def test_tokens_are_held_to_exactly_their_limit(limiter: RateLimiter) -> None:
    await limiter.take(LIMIT, tokens=400, now=NOW)

    refused = await limiter.take(LIMIT, tokens=601, now=NOW)
    taken = await limiter.take(LIMIT, tokens=600, now=NOW)

    assert refused == RateWindow(1, 400, is_over=True, resets_at_s=NEXT_MINUTE_S)
    assert taken == RateWindow(2, 1_000, is_over=False, resets_at_s=NEXT_MINUTE_S)


async def test_a_request_that_no_window_could_take_is_refused(limiter: RateLimiter) -> None:
    too_large = await limiter.take(LIMIT, tokens=1_001, now=NOW)
    none_allowed = await limiter.take(replace(LIMIT, requests_max=0), tokens=1, now=NOW)

    assert too_large == none_allowed
    assert too_large == RateWindow(0, 0, is_over=True, resets_at_s=NEXT_MINUTE_S)


async def test_the_next_minute_begins_anew(limiter: RateLimiter) -> None:
    for _ in range(3):
        await limiter.take(LIMIT, tokens=300, now=NOW)

    window = await limiter.take(LIMIT, tokens=300, now=NOW + timedelta(seconds=40))

    assert window == RateWindow(1, 300, is_over=False, resets_at_s=NEXT_MINUTE_S + 60)


async def test_subjects_are_counted_apart(limiter: RateLimiter) -> None:
    await limiter.take(LIMIT, tokens=1_000, now=NOW)

    other = await limiter.take(replace(LIMIT, subject="user/one"), tokens=1, now=NOW)

    assert (other.requests, other.tokens) == (1, 1)


async def test_only_what_is_limited_refuses(limiter: RateLimiter) -> None:
    requests_only = RateLimit("key/two", requests_max=2)
    tokens_only = RateLimit("key/three", tokens_max=10)

    assert not (await limiter.take(requests_only, tokens=10**9, now=NOW)).is_over
    for _ in range(5):
        assert not (await limiter.take(tokens_only, tokens=2, now=NOW)).is_over
    assert (await limiter.take(tokens_only, tokens=1, now=NOW)).is_over
    assert not (await limiter.take(tokens_only, tokens=0, now=NOW)).is_over


async def test_tokens_are_corrected_in_both_directions(limiter: RateLimiter) -> None:
    await limiter.take(LIMIT, tokens=900, now=NOW)

    await limiter.adjust(LIMIT, tokens=-700, now=NOW)
    await limiter.adjust(LIMIT, tokens=50, now=NOW)

    window = await limiter.take(LIMIT, tokens=750, now=NOW)
    assert (window.requests, window.tokens, window.is_over) == (2, 1_000, False)


async def test_a_correction_may_exceed_the_limit(limiter: RateLimiter) -> None:
    await limiter.take(LIMIT, tokens=900, now=NOW)

    await limiter.adjust(LIMIT, tokens=900, now=NOW)

    window = await limiter.take(LIMIT, tokens=0, now=NOW)
    assert (window.requests, window.tokens, window.is_over) == (1, 1_800, True)


async def test_a_window_nobody_counted_in_is_not_corrected(limiter: RateLimiter) -> None:
    await limiter.adjust(LIMIT, tokens=-500, now=NOW)

    window = await limiter.take(LIMIT, tokens=1, now=NOW)
    assert (window.requests, window.tokens) == (1, 1)


async def test_of_many_requests_at_once_no_more_pass_than_the_limit(limiter: RateLimiter) -> None:
    limit = RateLimit("key/busy", requests_max=7)

    windows = await asyncio.gather(*(limiter.take(limit, tokens=1, now=NOW) for _ in range(40)))

    taken = sorted(window.requests for window in windows if not window.is_over)
    assert taken == [1, 2, 3, 4, 5, 6, 7]
