"""LiteLLM's limits become budgets whose periods end when they would have there."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bursar.cli.moving.findings import Findings, Kind
from bursar.cli.moving.litellm_budgets import budget_of

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def _held(zone: str = "UTC", **row: Any) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The only budget, how it is held, and what is said about it."""
    found = Findings()
    held = budget_of({"spend": 1.5, **row}, found, zone, NOW)
    budgets = [dict(record.body) for record in found.records if record.kind is Kind.BUDGET]
    return (budgets or [{}])[0], dict(held.body), held.remark


@pytest.mark.parametrize(
    ("duration", "resets", "period"),
    [
        ("1d", "2026-11-26T00:00:00+00:00", "day"),
        ("24h", "2026-11-26T00:00:00+00:00", "day"),
        ("7d", "2026-11-30T00:00:00+00:00", "week"),
        ("1w", "2026-11-30T00:00:00+00:00", "week"),
        ("30d", "2026-12-01T00:00:00+00:00", "month"),
        ("1mo", "2026-12-01T00:00:00+00:00", "month"),
        ("30d", None, "month"),
    ],
)
def test_what_it_resets_by_the_calendar_is_by_the_calendar_here(
    duration: str, resets: str | None, period: str
) -> None:
    budget, held, _ = _held(max_budget=10.0, budget_duration=duration, budget_reset_at=resets)
    assert budget["budget_period"] == period
    assert "budget_duration_sec" not in budget
    assert held == {"budget_id": f"litellm-10-{period}", "spend": Decimal("1.5")}


def test_midnight_is_that_of_its_time_zone() -> None:
    resets = "2026-12-01T05:00:00+00:00"
    row: dict[str, Any] = {"max_budget": 10.0, "budget_duration": "30d", "budget_reset_at": resets}
    budget, held, _ = _held("US/Eastern", **row)
    assert (budget["budget_period"], budget["time_zone"]) == ("month", "US/Eastern")
    assert held["budget_id"] == "litellm-10-month-US-Eastern"


@pytest.mark.parametrize("duration", ["30d", "14d"])
def test_a_period_that_counts_from_a_start_goes_on_counting_from_it(duration: str) -> None:
    resets = "2026-11-28T09:30:00"
    budget, held, _ = _held(max_budget=10.0, budget_duration=duration, budget_reset_at=resets)
    days = int(duration[:-1])
    assert budget["budget_duration_sec"] == days * 86_400
    started = datetime.fromisoformat(held["budget_started_at"])
    assert (datetime.fromisoformat(f"{resets}+00:00") - started).days == days


def test_a_period_that_is_over_has_nothing_spent() -> None:
    row: dict[str, Any] = {
        "max_budget": 10.0,
        "budget_duration": "14d",
        "budget_reset_at": "2026-11-25T11:59:00",
    }
    assert _held(**row)[1]["spend"] == 0


def test_a_limit_without_a_period_is_for_good() -> None:
    budget, held, _ = _held(max_budget=0.25)
    assert budget == {"budget_id": "litellm-0.25", "max_budget": Decimal("0.25")}
    assert held["spend"] == Decimal("1.5")


@pytest.mark.parametrize("limit", [None, float("inf"), float("nan"), 1e300])
def test_without_a_limit_only_the_spending_comes(limit: float | None) -> None:
    assert _held(max_budget=limit) == ({}, {"spend": Decimal("1.5")}, "")


def test_a_length_that_cannot_be_read_is_said() -> None:
    assert "soon" in _held(max_budget=1.0, budget_duration="soon")[2]
