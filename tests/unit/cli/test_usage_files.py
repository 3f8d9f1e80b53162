"""Exports as files: their formats, and how much of them is in memory."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tracemalloc
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.cli.failures import Failed
from bursar.cli.usage_fields import FIELDS
from bursar.cli.usage_files import check_free, format_of, write_records
from functions.admin.schemas.usage import UsageAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORD: dict[str, Any] = {
    **dict.fromkeys(FIELDS),
    "id": "a",
    "timestamp": "2026-11-25T12:00:00.5Z",
    "cost": Decimal("0.000000000001"),
    "token_details": {},
    "error_message": 'a "quoted",\nbroken line',
}


def test_a_file_has_every_field_of_the_api_and_no_other() -> None:
    assert set(FIELDS) == set(UsageAnswer.model_fields)


@pytest.mark.parametrize("format_", ["csv", "json", "jsonl", "parquet"])
def test_a_file_without_records_is_one_of_its_format(tmp_path: Path, format_: str) -> None:
    path = tmp_path / f"none.{format_}"
    assert write_records([], str(path), format_) == 0

    text = {"csv": ",".join(FIELDS) + "\n", "json": "[]\n", "jsonl": ""}
    if format_ == "parquet":
        from pyarrow import parquet  # noqa: PLC0415

        assert parquet.read_table(path).num_rows == 0
        assert parquet.read_table(path).column_names == list(FIELDS)
    else:
        assert path.read_text() == text[format_]


def test_json_keeps_all_digits(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    write_records([RECORD, RECORD], str(path), "json")

    first, second = json.loads(path.read_text(), parse_float=Decimal)

    assert first == second == RECORD


def test_csv_has_amounts_without_an_exponent_and_json_in_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    rates = {"input": Decimal("0.15")}
    write_records([{**RECORD, "rates": rates}], str(path), "csv")

    with path.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)

    assert row["cost"] == "0.000000000001"
    assert row["rates"] == '{"input":0.15}'
    assert row["error_message"] == RECORD["error_message"]
    assert row["model"] == ""


def test_a_failure_half_way_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield RECORD
        raise Failed("The gateway went away")

    for format_ in ("csv", "json", "jsonl", "parquet"):
        with pytest.raises(Failed):
            write_records(broken(), str(tmp_path / f"all.{format_}"), format_)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format_", ["csv", "json", "jsonl"])
def test_memory_does_not_grow_with_the_records(tmp_path: Path, format_: str) -> None:
    def peak_bytes(count: int) -> int:
        records = (dict(RECORD, id=str(number)) for number in range(count))
        tracemalloc.start()
        write_records(records, str(tmp_path / "all"), format_)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    peak_bytes(10)
    assert peak_bytes(5_000) < 2 * peak_bytes(500)


def test_the_format_is_the_names_ending_unless_it_is_said() -> None:
    assert format_of("a/b.CSV", None) == "csv"
    assert format_of("a.csv", "jsonl") == "jsonl"
    for name in ("a", "a.xls", "-"):
        with pytest.raises(Failed):
            format_of(name, None)


def test_a_file_needs_its_folder_and_a_free_name(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    check_free(str(tmp_path / "free"), overwrites=False)
    check_free(str(tmp_path / "there"), overwrites=True)
    for name in ("there", "none/free"):
        with pytest.raises(Failed):
            check_free(str(tmp_path / name), overwrites=False)


def test_without_pyarrow_parquet_says_how_to_get_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from bursar.cli.failures import Failed\n"
        "from bursar.cli.usage_files import write_records\n"
        "try: write_records([], sys.argv[1], 'parquet')\n"
        "except Failed as error: print(error.message)\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "all.parquet")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)

    assert "pip install pyarrow" in done.stdout
    assert list(tmp_path.iterdir()) == []
