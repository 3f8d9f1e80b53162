"""When a failing target is avoided, and how it is found out that it works again."""

from __future__ import annotations

import pytest

from bursar.services.breaker import COOL_DOWN_S, FAILURES_MAX, Breaker


class Time:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def breaker(time: Time) -> Breaker:
    return Breaker(time)


def fail(breaker: Breaker, times: int = FAILURES_MAX, failure: str = "upstream_5xx") -> None:
    for _ in range(times):
        breaker.failed("a", failure)


@pytest.mark.parametrize(
    "failure",
    [
        "upstream_5xx",
        "upstream_unreachable",
        "upstream_timeout",
        "upstream_broken",
        "upstream_429",
    ],
)
def test_failures_of_one_kind_in_a_row_keep_requests_away(breaker: Breaker, failure: str) -> None:
    fail(breaker, FAILURES_MAX - 1, failure)
    assert breaker.admits("a")
    fail(breaker, 1, failure)
    assert not breaker.admits("a")
    assert breaker.admits("b")


@pytest.mark.parametrize("failure", ["upstream_4xx", "untranslatable", "model_unpriced"])
def test_what_is_not_the_targets_fault_does_not_count(breaker: Breaker, failure: str) -> None:
    fail(breaker, 10 * FAILURES_MAX, failure)
    assert breaker.admits("a")


def test_rate_limits_and_failures_are_counted_apart(breaker: Breaker) -> None:
    fail(breaker, FAILURES_MAX - 1, "upstream_429")
    fail(breaker, FAILURES_MAX - 1, "upstream_timeout")
    assert breaker.admits("a")


def test_a_success_forgets_all_failures(breaker: Breaker) -> None:
    fail(breaker, FAILURES_MAX - 1)
    breaker.succeeded("a")
    fail(breaker, FAILURES_MAX - 1)
    assert breaker.admits("a")


def test_after_its_rest_one_request_tries_and_the_others_wait_for_it(
    breaker: Breaker, time: Time
) -> None:
    fail(breaker)
    time.now += COOL_DOWN_S - 0.001
    assert not breaker.admits("a")
    time.now += 0.001
    assert [breaker.admits("a") for _ in range(3)] == [True, False, False]
    breaker.succeeded("a")
    assert breaker.admits("a")
    assert breaker.admits("a")


def test_a_probe_that_fails_once_begins_another_rest(breaker: Breaker, time: Time) -> None:
    fail(breaker)
    time.now += COOL_DOWN_S
    assert breaker.admits("a")
    time.now += 5
    breaker.failed("a", "upstream_unreachable")
    time.now += COOL_DOWN_S - 0.001
    assert not breaker.admits("a")
    time.now += 0.001
    assert breaker.admits("a")


def test_a_probe_that_nobody_hears_of_is_followed_by_another(breaker: Breaker, time: Time) -> None:
    fail(breaker)
    time.now += COOL_DOWN_S
    assert breaker.admits("a")
    time.now += COOL_DOWN_S
    assert breaker.admits("a")


@pytest.mark.parametrize(("asked_for_s", "rest_s"), [(None, 10), (3.0, 3), (7_200.0, 300)])
def test_a_rate_limit_says_itself_how_long_to_stay_away(
    breaker: Breaker, time: Time, asked_for_s: float | None, rest_s: float
) -> None:
    for _ in range(FAILURES_MAX):
        breaker.failed("a", "upstream_429", asked_for_s)
    time.now += rest_s - 0.001
    assert not breaker.admits("a")
    time.now += 0.001
    assert breaker.admits("a")


def test_a_breaker_of_very_many_targets_stays_small(breaker: Breaker) -> None:
    for number in range(25_000):
        breaker.failed(number, "upstream_5xx")
    assert len(breaker._failing) <= 10_000
