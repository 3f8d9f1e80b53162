"""What checks conclude from what they saw."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bursar.cli.doctor import clock, leaving, prices, race, schedule, streaming, table, weakening
from bursar.cli.doctor.checks import Outcome
from bursar.store.accounts import OPEN_SHARDS
from bursar.store.schema import OPEN_ACCOUNTS_INDEX

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
RACED = race.Raced(
    served=5,
    refused=35,
    others=(),
    limit_usd=Decimal("0.00005"),
    spent_usd=Decimal("0.00005"),
    held_usd=Decimal(0),
    recorded_usd=Decimal("0.00005"),
    is_exact=True,
)


def test_a_race_that_spends_what_there_is_passes() -> None:
    assert race.judge(RACED).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"served": 6, "refused": 34}, "the budget affords 5"),
        ({"spent_usd": Decimal("0.00006")}, "of a budget of"),
        ({"held_usd": Decimal("0.00001")}, "held"),
        (
            {"spent_usd": Decimal("0.00004"), "held_usd": Decimal("0.00001")},
            "still held",
        ),
        ({"recorded_usd": Decimal("0.00004")}, "the records add up to"),
        ({"served": 0, "spent_usd": Decimal(0), "recorded_usd": Decimal(0)}, "No call was served"),
        ({"served": 3, "refused": 37}, "though the budget affords 5"),
        ({"served": 5, "refused": 0, "others": ("503: no",) * 35}, "0 refused"),
        ({"served": 5, "refused": 1, "others": ("503: no",) * 34}, "34 got another answer"),
    ],
)
def test_a_race_that_proves_otherwise_fails(change: dict[str, Any], told: str) -> None:
    verdict = race.judge(replace(RACED, **change))
    assert verdict.outcome is Outcome.FAILED
    assert told in verdict.seen
    assert verdict.remedy


def test_what_cheap_calls_leave_over_may_be_spent_by_more_of_them() -> None:
    cheap = replace(RACED, served=9, refused=31, is_exact=False)
    assert race.judge(cheap).outcome is Outcome.PASSED


def test_calls_that_others_refused_are_told_and_do_not_fail_the_race() -> None:
    throttled = replace(RACED, served=4, refused=30, others=("429: slow down",) * 6)
    verdict = race.judge(throttled)
    assert verdict.outcome is Outcome.PASSED
    assert verdict.details == ("6 got another answer, the first 429: slow down",)


def test_a_stream_that_flows_passes_however_late_it_begins() -> None:
    flowing = [3 + 0.02 * number for number in range(60)]
    assert streaming.judge(flowing).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "moments_s",
    [
        [2.0 + 0.0001 * number for number in range(60)],
        [0.1] * 30 + [2.0] * 30,
        [3.0 + 0.001 * number for number in range(60)],
        [0.5, 0.6],
    ],
    ids=["at the end", "in two packets", "nearly at the end", "too short"],
)
def test_a_stream_that_comes_at_once_fails(moments_s: list[float]) -> None:
    verdict = streaming.judge(moments_s)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.remedy


ACCOUNT = {"spend": Decimal("0.00003"), "held": Decimal(0)}
LEFT = {
    "id": "r1",
    "cost": Decimal("0.00003"),
    "outcome": "disconnected",
    "completion_tokens": 30,
}


def test_a_stream_that_was_left_and_paid_for_passes() -> None:
    assert leaving.judge(ACCOUNT, LEFT).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("account", "record", "told"),
    [
        (ACCOUNT, None, "no usage record"),
        (ACCOUNT, {**LEFT, "cost": Decimal(0)}, "cost nothing"),
        (ACCOUNT, {**LEFT, "outcome": "success"}, "ended as success"),
        ({**ACCOUNT, "held": Decimal("0.1")}, LEFT, "still held"),
        ({**ACCOUNT, "spend": Decimal("0.1")}, LEFT, "the record says"),
    ],
)
def test_a_stream_that_was_left_otherwise_fails(account: Any, record: Any, told: str) -> None:
    verdict = leaving.judge(account, record)
    assert verdict.outcome is Outcome.FAILED
    assert told in verdict.seen


def test_a_date_within_the_answers_own_time_is_no_skew() -> None:
    before, after = NOW, NOW + timedelta(seconds=3)
    assert clock.skew("Wed, 25 Nov 2026 12:00:02 GMT", before, after) == timedelta(0)
    assert clock.skew("Wed, 25 Nov 2026 12:01:03 GMT", before, after) == timedelta(minutes=1)
    assert clock.skew("Wed, 25 Nov 2026 11:59:00 GMT", before, after) == timedelta(minutes=-1)


@pytest.mark.parametrize(
    ("off_s", "ends", "outcome"),
    [
        (0, None, Outcome.PASSED),
        (-29, None, Outcome.PASSED),
        (31, None, Outcome.FAILED),
        (-31, None, Outcome.FAILED),
        (0, NOW + timedelta(days=60), Outcome.PASSED),
        (0, NOW + timedelta(days=3), Outcome.FAILED),
        (0, NOW - timedelta(days=1), Outcome.FAILED),
    ],
)
def test_clocks_agree_within_half_a_minute_and_certificates_last_for_weeks(
    off_s: int, ends: datetime | None, outcome: Outcome
) -> None:
    assert clock.judge(timedelta(seconds=off_s), ends, NOW).outcome is outcome


def _account(end: str, **more: Any) -> dict[str, Any]:
    period = f"2026-11-01T00:00:00.000000Z/{end}"
    return {"pk": {"S": "ACCOUNT#user/a"}, "sk": {"S": period}, "holds": {"M": {}}, **more}


def _held(minutes_ago: float) -> dict[str, Any]:
    deadline = int((NOW - timedelta(minutes=minutes_ago)).timestamp())
    return {"M": {"a": {"L": [{"N": "1"}, {"N": str(deadline)}]}}}


@pytest.mark.parametrize(
    ("account", "is_late"),
    [
        (_account(".."), False),
        (_account("2026-12-01T00:00:00.000000Z"), False),
        (_account("2026-11-25T11:00:00.000000Z"), True),
        (_account("2026-11-25T11:00:00.000000Z", closed_at={"S": "…"}), False),
        (_account("2026-11-25T11:00:00.000000Z", holds=_held(-5)), False),
        (_account("..", holds=_held(5)), True),
        (_account("..", holds=_held(-5)), False),
    ],
)
def test_accounts_and_holds_are_late_only_once_they_are_over(
    account: dict[str, Any], *, is_late: bool
) -> None:
    assert bool(list(schedule.lateness(account, NOW))) is is_late


def test_the_accounts_are_looked_for_where_the_gateway_keeps_them() -> None:
    assert (table.OPEN_ACCOUNTS_INDEX, table.OPEN_SHARDS) == (OPEN_ACCOUNTS_INDEX, OPEN_SHARDS)


def test_a_price_a_fifth_from_the_public_one_is_near_it() -> None:
    public = {"input_price_per_million": Decimal(1), "output_price_per_million": Decimal(5)}
    near = {"input_price_per_million": Decimal("1.2"), "output_price_per_million": Decimal(4)}
    far = {"input_price_per_million": Decimal("1.21"), "output_price_per_million": Decimal("3.9")}
    assert list(prices.differences("m", near, public)) == []
    assert len(list(prices.differences("m", far, public))) == 2
    assert list(prices.differences("m", far, None)) == []


def test_public_prices_of_half_a_year_ago_are_old() -> None:
    assert list(prices.age("2026-05-01", date(2026, 11, 25)))
    assert not list(prices.age("2026-11-01", date(2026, 11, 25)))


def _billed(cost: str | None, reported: str | None) -> dict[str, Any]:
    return {
        "provider": "openrouter",
        "model": "m",
        "cost": None if cost is None else Decimal(cost),
        "reported_cost": None if reported is None else Decimal(reported),
    }


def test_charges_are_compared_where_providers_tell_them() -> None:
    assert prices.judge_charges([_billed("1", None)]).outcome is Outcome.SKIPPED
    assert prices.judge_charges([_billed("1", "1.01")]).outcome is Outcome.PASSED
    assert prices.judge_charges([_billed("1", "1.5")]).outcome is Outcome.FAILED
    assert prices.judge_charges([_billed("1", "0")]).outcome is Outcome.FAILED


def test_settings_weaken_by_their_value() -> None:
    assert weakening.judge({"allow_unpriced": False, "user_field": "own"}).outcome is Outcome.PASSED
    verdict = weakening.judge({"allow_unpriced": True, "sign_up_open": True})
    assert verdict.outcome is Outcome.FAILED
    assert len(verdict.details) == 2
