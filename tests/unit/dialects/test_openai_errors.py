from __future__ import annotations

from decimal import Decimal

import pytest

from bursar.dialects.openai_errors import body_of, headers_of, status_of, stream_failure
from bursar.domain import errors


def _all_errors() -> list[type[errors.BursarError]]:
    found = [errors.BursarError]
    for kind in found:
        found.extend(kind.__subclasses__())
    # Adapters may refine an error for themselves; what they raise is of the domain's tree.
    return [kind for kind in found if kind.__module__ == errors.__name__]


def _make(kind: type[errors.BursarError]) -> errors.BursarError:
    if issubclass(kind, errors.BudgetExceeded):
        return kind("m", advice="a", needed_usd=Decimal(1), left_usd=Decimal(0))
    if issubclass(kind, errors.RateLimited):
        return kind("m", retry_after_s=5)
    return kind("m")


@pytest.mark.parametrize("kind", _all_errors())
def test_every_error_has_a_status_and_both_shapes(kind: type[errors.BursarError]) -> None:
    error = _make(kind)
    body = body_of(error)
    assert 400 <= status_of(error) < 600
    assert body["detail"]
    assert set(body["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.Unauthenticated, 401),
        (errors.Unpriceable, 402),
        (errors.BudgetExceeded, 403),
        (errors.ModelNotFound, 404),
        (errors.Unprocessable, 422),
        (errors.RateLimited, 429),
        (errors.UpstreamUnreachable, 502),
        (errors.StoreUnavailable, 503),
        (errors.UpstreamTimeout, 504),
        (errors.WrongSetting, 500),
    ],
)
def test_each_kind_has_the_status_its_sdk_exception_needs(
    kind: type[errors.BursarError], status: int
) -> None:
    assert status_of(_make(kind)) == status


def test_a_full_budget_keeps_the_seeds_detail_and_advises_in_the_message() -> None:
    body = body_of(_make(errors.BudgetExceeded))
    assert body["detail"] == "m"
    assert body["error"]["message"] == "m. a"


def test_what_may_have_been_billed_is_not_retried_by_the_sdks() -> None:
    assert headers_of(_make(errors.UpstreamTimeout))["x-should-retry"] == "false"
    assert headers_of(_make(errors.RateLimited)) == {"retry-after": "5"}


def test_a_failing_stream_ends_with_an_error_and_the_terminal_event() -> None:
    frames = stream_failure("upstream_broken")
    assert b'"code":"upstream_broken"' in frames
    assert frames.endswith(b"data: [DONE]\n\n")
