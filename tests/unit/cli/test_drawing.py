from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.cli.drawing import bar, sparkline


def values(*numbers: int) -> list[Decimal]:
    return [Decimal(number) for number in numbers]


@pytest.mark.parametrize(
    ("numbers", "line"),
    [
        ((), ""),
        ((0, 0), "  "),
        ((1,), "█"),
        ((0, 1, 8), " ▂█"),
        ((1, 2, 3, 4, 5, 6, 7, 8), "▂▃▄▅▆▇██"),
        ((1, 1_000_000), "▁█"),
    ],
)
def test_a_line_has_a_column_a_value(numbers: tuple[int, ...], line: str) -> None:
    assert sparkline(values(*numbers)) == line


@pytest.mark.parametrize(
    ("part", "drawn"),
    [("0", ""), ("0.0001", "▏"), ("0.5", "██"), ("0.53125", "██▏"), ("1", "████"), ("2", "████")],
)
def test_a_bar_is_as_long_as_its_part(part: str, drawn: str) -> None:
    assert bar(Decimal(part), 4) == drawn


@given(st.lists(st.decimals(0, 1, places=6), min_size=2, max_size=2).map(sorted))
def test_more_is_never_shorter(parts: list[Decimal]) -> None:
    less, more = (bar(part, 8) for part in parts)
    assert len(less) <= len(more) <= 8
