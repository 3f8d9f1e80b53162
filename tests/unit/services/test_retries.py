"""Which failures are tried again, where, and how long that waits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.services.retries import (
    RETRY_AFTER_MAX_S,
    is_misplaced,
    is_passing,
    retry_after_s,
    wait_s,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [None, 408, 409, 429, 500, 502, 503, 529])
def test_the_same_target_is_asked_again_about_what_passes(status: int | None) -> None:
    assert is_passing(status, {})
    assert is_misplaced(status)
    assert not is_passing(status, {"x-should-retry": "false"})
    assert is_passing(status, {"x-should-retry": "true"})


@pytest.mark.parametrize("status", [302, 401, 402, 403, 404, 410, 424, 501, 504])
def test_only_another_target_is_asked_about_what_stays(status: int) -> None:
    assert not is_passing(status, {})
    assert is_misplaced(status)


@pytest.mark.parametrize("status", [400, 405, 413, 415, 422, 451])
def test_nobody_is_asked_again_about_the_requests_own_fault(status: int) -> None:
    assert not is_passing(status, {"x-should-retry": "true"})
    assert not is_misplaced(status)


@given(failures=st.integers(1, 50), drawn=st.floats(0, 1, exclude_max=True))
def test_waits_grow_up_to_four_seconds_and_are_spread(failures: int, drawn: float) -> None:
    waited = wait_s(failures, None, lambda: drawn)
    longest = min(4.0, 0.5 * 2 ** (failures - 1))
    assert waited is not None
    assert longest / 2 <= waited <= longest


@pytest.mark.parametrize("asked_for_s", [0.0, 0.2, RETRY_AFTER_MAX_S])
def test_a_provider_that_says_how_long_is_taken_at_its_word(asked_for_s: float) -> None:
    assert wait_s(1, asked_for_s, lambda: 0.5) == asked_for_s


def test_a_provider_that_wants_a_long_rest_is_not_waited_for() -> None:
    assert wait_s(1, RETRY_AFTER_MAX_S + 0.001, lambda: 0.5) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:07 GMT"}, 7.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:07 -0000"}, 7.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "1.2.3"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "²"}, None),
        ({"retry-after": "Sun, 22 Nov 99999 12:00:07 GMT"}, None),
        ({"retry-after": f"Sun, 22 Nov {9**30} 12:00:07 GMT"}, None),
        ({"retry-after": f"Sun, 22 Nov 2026 12:00:07 +{9**30}"}, None),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_s(headers, NOW) == seconds


@given(st.text())
def test_whatever_a_provider_writes_is_read_without_failing(text: str) -> None:
    for name in ("retry-after", "retry-after-ms"):
        waited = retry_after_s({name: text}, NOW)
        assert waited is None or waited >= 0
