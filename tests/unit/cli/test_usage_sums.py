from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bursar.cli.usage_sums import GROUPINGS, Summary, days_between

AMOUNTS = st.none() | st.decimals(0, 10**25, places=12, allow_nan=False)
COUNTS = st.none() | st.integers(0, 10**9)
NAMES = st.sampled_from([None, "a", "b", "c"])
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "timestamp": st.sampled_from(
                ["2026-11-01T00:00:00Z", "2026-11-01T23:59:59Z", "2026-11-03T12:00:00Z"]
            ),
            "user_id": st.sampled_from(["alice", "bob"]),
            "api_key_id": NAMES,
            "provider": NAMES,
            "model": NAMES,
            "project_id": NAMES,
            "client_id": NAMES,
            "alias": NAMES,
            "status": st.sampled_from(["success", "error"]),
            "outcome": st.sampled_from(["success", "expired"]),
            "prompt_tokens": COUNTS,
            "completion_tokens": COUNTS,
            "cost": AMOUNTS,
        }
    ),
    max_size=30,
)
BY = st.lists(st.sampled_from(list(GROUPINGS)), min_size=1, max_size=3, unique=True)


@given(records=RECORDS, by=BY)
def test_groups_add_up_to_the_whole_without_losing_a_digit(
    records: list[dict[str, Any]], by: list[str]
) -> None:
    summary = Summary.of(iter(records), by)
    rows = summary.rows()

    for field in ("requests", "errors", "prompt_tokens", "completion_tokens"):
        assert sum(row[field] for row in rows) == getattr(summary.total, field)
    exact = sum(Fraction(record["cost"] or 0) for record in records)
    assert Fraction(summary.total.cost) == exact
    assert sum(Fraction(row["cost"]) for row in rows) == exact


@given(records=RECORDS)
def test_a_model_is_named_with_its_provider(records: list[dict[str, Any]]) -> None:
    expected: dict[str | None, int] = defaultdict(int)
    for record in records:
        model, provider = record["model"], record["provider"]
        expected[f"{provider}:{model}" if model and provider else model] += 1

    rows = Summary.of(records, ["model"]).rows()

    assert {row["model"]: row["requests"] for row in rows} == expected


def record(day: str, cost: str, **fields: Any) -> dict[str, Any]:
    usual = {"user_id": "alice", "status": "success", "prompt_tokens": 1, "completion_tokens": 2}
    return {"timestamp": f"{day}T10:00:00Z", "cost": Decimal(cost), **usual, **fields}


def test_days_come_in_their_order_and_everything_else_by_cost() -> None:
    records = [
        record("2026-11-02", "3"),
        record("2026-11-01", "1"),
        record("2026-11-01", "2", user_id="bob"),
    ]

    by_day = Summary.of(records, ["user", "day"]).rows()
    by_user = Summary.of(records, ["user"]).rows()

    assert [(row["day"], row["user"]) for row in by_day] == [
        ("2026-11-01", "bob"),
        ("2026-11-01", "alice"),
        ("2026-11-02", "alice"),
    ]
    assert [(row["user"], row["share"]) for row in by_user] == [
        ("alice", Decimal("0.6667")),
        ("bob", Decimal("0.3333")),
    ]


def test_nothing_has_no_share_and_no_rows() -> None:
    free = Summary.of([record("2026-11-01", "0.000")], ["day"]).rows()

    assert (str(free[0]["cost"]), free[0]["share"]) == ("0", None)
    assert Summary.of([], ["day"]).rows() == []


def test_sums_have_neither_zeros_at_their_end_nor_an_exponent() -> None:
    (small,) = Summary.of([record("2026-11-01", "0.2500")], ["day"]).rows()
    (large,) = Summary.of([record("2026-11-01", "1E+3")], ["day"]).rows()

    assert (str(small["cost"]), str(large["cost"])) == ("0.25", "1000")


def test_days_between_two_are_all_of_them() -> None:
    assert list(days_between("2026-02-27", "2026-03-01")) == [
        *("2026-02-27", "2026-02-28", "2026-03-01")
    ]
    assert list(days_between("2026-02-27", "2026-02-27")) == ["2026-02-27"]
