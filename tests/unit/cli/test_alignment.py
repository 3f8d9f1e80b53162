from __future__ import annotations

from bursar.cli.alignment import on_the_point
from bursar.cli.output import as_usd


def test_points_stand_under_each_other_when_cells_are_aligned_to_the_right() -> None:
    cells = on_the_point(["$1.0305", "$250.00", "-", "$20.5"])
    width = max(map(len, cells))
    points = {cell.rjust(width).index(".") for cell in cells if "." in cell}
    assert len(points) == 1


def test_whole_numbers_stand_before_the_point() -> None:
    assert on_the_point(["12", "3.25"]) == ["12   ", "3.25"]


def test_what_is_no_number_stays_as_it_is() -> None:
    assert on_the_point(["-", "many", "1.5"]) == ["-", "many", "1.5"]
    assert on_the_point([]) == []


def test_an_amount_has_at_least_its_cents_and_all_its_digits() -> None:
    assert [as_usd(it) for it in (20, "0.5", "0.000000000001", None)] == [
        "$20.00",
        "$0.50",
        "$0.000000000001",
        "-",
    ]
