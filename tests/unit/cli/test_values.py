from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.cli.values import (
    AMOUNT,
    COUNT,
    LENGTH,
    PAIR,
    PERIOD,
    RATE,
    TARGET,
    TIER,
    TIER_DOWN,
    as_length,
    read_length_s,
    read_moment,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (AMOUNT, "20", "20"),
        (AMOUNT, "$20.50", "20.50"),
        (AMOUNT, " 0.000000000001 ", "0.000000000001"),
        (COUNT, "60", 60),
        (LENGTH, "45", 45),
        (LENGTH, "45s", 45),
        (LENGTH, "30m", 1_800),
        (LENGTH, "12h", 43_200),
        (LENGTH, "1d", 86_400),
        (LENGTH, "2w", 1_209_600),
        (PERIOD, "month", {"budget_period": "month"}),
        (PERIOD, "30d", {"budget_duration_sec": 2_592_000}),
        (PERIOD, "none", {"budget_period": None, "budget_duration_sec": None}),
        (PERIOD, "", {"budget_period": None, "budget_duration_sec": None}),
        (TARGET, "openai:gpt-4o", {"model": "openai:gpt-4o"}),
        (TARGET, "openai:gpt-4o=9", {"model": "openai:gpt-4o", "weight": 9}),
        (TARGET, "ollama:a=b", {"model": "ollama:a=b"}),
        (
            TIER_DOWN,
            "openai:gpt-4o-mini=10%",
            {"model": "openai:gpt-4o-mini", "below_share": "0.1"},
        ),
        (TIER_DOWN, "a:b=c=0.25", {"model": "a:b=c", "below_share": "0.25"}),
        (RATE, "cache_write=$3.75", ("cache_write", "3.75")),
        (
            TIER,
            "200000:input=5,output=20",
            {"above_input_tokens": 200_000, "rates": {"input": "5", "output": "20"}},
        ),
        (PAIR, "note=a=b", ("note", "a=b")),
        (AMOUNT, "", ""),
        (TIER_DOWN, "", ""),
    ],
)
def test_a_value_is_read_as_people_write_it(kind: Any, text: str, value: object) -> None:
    assert kind.convert(text, None, None) == value


@pytest.mark.parametrize(
    ("kind", "text", "advice"),
    [
        (AMOUNT, "a lot", "as in 20"),
        (AMOUNT, "-1", "as in 20"),
        (AMOUNT, "1e3", "as in 20"),
        (AMOUNT, "20€", "as in 20"),
        (AMOUNT, "1,5", "as in 20"),
        (AMOUNT, "0.0000000000001", "at most 12 decimals"),
        (COUNT, "0", "above nothing"),
        (COUNT, "²", "above nothing"),
        (LENGTH, "1 day", "as in 30m"),
        (LENGTH, "1y", "as in 30m"),
        (PERIOD, "fortnight", "day, week or month"),
        (TARGET, "gpt-4o", "names its provider"),
        (TARGET, "gpt-4o=9", "names its provider"),
        (TIER_DOWN, "openai:gpt-4o", "as in openai:gpt-4o-mini"),
        (TIER_DOWN, "openai:gpt-4o=100%", "below all"),
        (TIER_DOWN, "openai:gpt-4o=0", "above nothing"),
        (RATE, "3.75", "as in cache_write=3.75"),
        (RATE, "input=free", "as in 20"),
        (TIER, "input=5", "as in 200000:"),
        (TIER, "many:input=5", "as in 200000:"),
        (PAIR, "team", "as in team=search"),
    ],
)
def test_what_cannot_be_right_is_refused_with_how_to_write_it(
    kind: Any, text: str, advice: str
) -> None:
    with pytest.raises(click.BadParameter, match=advice) as refused:
        kind.convert(text, None, None)
    assert repr(text) in refused.value.message


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-31", "2027-01-31T00:00:00+00:00"),
        ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00+00:00"),
        ("2027-01-31T12:00:00+02:00", "2027-01-31T12:00:00+02:00"),
        ("30d", "2026-12-25T12:00:00+00:00"),
        ("12h", "2026-11-26T00:00:00+00:00"),
    ],
)
def test_a_moment_is_a_date_or_a_length_of_time_from_now(text: str, moment: str) -> None:
    assert read_moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["tomorrow", "31.1.2027", "9999999999w", "12"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write a date|too far away"):
        read_moment(text, NOW)


@given(st.integers(0, 10**9))
def test_a_length_that_is_shown_is_read_back(seconds: int) -> None:
    assert read_length_s(as_length(seconds)) == seconds


@given(st.decimals(0, Decimal(10**15) - 1, places=12))
def test_an_amount_keeps_all_its_digits(amount: Decimal) -> None:
    text = f"{amount:f}"
    assert AMOUNT.convert(text, None, None) == text


def test_no_length_is_a_dash() -> None:
    assert as_length(None) == "-"
