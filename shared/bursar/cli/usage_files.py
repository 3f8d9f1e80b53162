"""Writes usage records into a file, a page at a time; a file that is there is whole."""

from __future__ import annotations

import csv
import os
import sys
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from bursar.cli.csv_cells import csv_cell
from bursar.cli.exact_json import dumped
from bursar.cli.failures import CONFLICT, WRONG_USAGE, Failed
from bursar.cli.usage_fields import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Records = Iterable[Mapping[str, Any]]

FORMATS: Final = ("csv", "json", "jsonl", "parquet")
STDOUT: Final = "-"
_ROWS_A_GROUP: Final = 20_000


def format_of(file: str, named: str | None) -> str:
    """The format that was named, or that the file's name ends in.

    Raises:
        Failed: neither is one.
    """
    found = named or Path(file).suffix.removeprefix(".").lower()
    if found not in FORMATS:
        raise Failed(
            f"What is {file} to be? Add --format {'|'.join(FORMATS)}, or end it in one", WRONG_USAGE
        )
    if found == "parquet" and file == STDOUT:
        raise Failed("Parquet is written from its end, so it needs a file", WRONG_USAGE)
    return found


def check_free(file: str, *, overwrites: bool) -> None:
    """Raises Failed where a file is there already, or its folder is not."""
    path = Path(file)
    if file == STDOUT:
        return
    if path.exists() and not overwrites:
        raise Failed(f"{file} is there already: add --force to overwrite it", CONFLICT)
    if not path.absolute().parent.is_dir():
        raise Failed(f"There is no folder {path.parent}", WRONG_USAGE)


def write_records(records: Records, file: str, format_: str) -> int:
    """Write them all; how many there were.

    Raises:
        Failed: there is no writer of Parquet, or the file cannot be written.
    """
    if file == STDOUT:
        return _write_text(records, sys.stdout, format_)
    try:
        with _whole(Path(file)) as unfinished:
            if format_ == "parquet":
                return _write_parquet(records, unfinished)
            with unfinished.open("w", encoding="utf-8", newline="") as stream:
                return _write_text(records, stream, format_)
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror or error}") from None


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file beside it that takes its place once all of it is written, and else disappears."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_text(records: Records, stream: TextIO, format_: str) -> int:
    lines = {"csv": _csv_lines, "json": _json_lines, "jsonl": _jsonl_lines}[format_]
    count = _Count(records)
    stream.writelines(lines(count))
    return count.passed


class _Count:
    """Records, and how many have passed."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.passed = 0

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for record in self._records:
            self.passed += 1
            yield record


def _csv_lines(records: Records) -> Iterator[str]:
    line = _Line()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(FIELDS)
    yield line.text
    for record in records:
        writer.writerow([csv_cell(record.get(name)) for name in FIELDS])
        yield line.text


class _Line:
    """Where the writer of CSV leaves a line."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _json_lines(records: Records) -> Iterator[str]:
    before = "["
    for record in records:
        yield f"{before}\n{dumped(record)}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _jsonl_lines(records: Records) -> Iterator[str]:
    for record in records:
        yield dumped(record) + "\n"


def _write_parquet(records: Records, path: Path) -> int:
    # A library of 160 MB that only those install who want such files.
    from bursar.cli.usage_parquet import ParquetFile  # noqa: PLC0415

    count, remaining = 0, iter(records)
    with ParquetFile.at(path) as file:
        while (rows := list(islice(remaining, _ROWS_A_GROUP))) or count == 0:
            file.add(rows)
            count += len(rows)
            if not rows:
                break
    return count
