from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from bursar.cli import output as module
from bursar.cli.confirming import confirm_by_name
from bursar.cli.csv_cells import csv_cell
from bursar.cli.failures import Failed, RefusedByGateway
from bursar.cli.output import Column, Output
from bursar.cli.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

_HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b31m\r\u202etxt\u2028"
_COLUMNS = (Column("id", "ID"), Column("name", "NAME"))


@pytest.fixture
def is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a terminal, whose own marks stay away."""
    monkeypatch.setattr(module, "draws", lambda: True)
    monkeypatch.setattr("rich.console.Console", lambda: Console(width=200, color_system=None))


def test_what_a_terminal_would_obey_is_written_by_its_code() -> None:
    assert printable("\x1b[2J\x9b\u202e") == r"\x1b[2J\x9b\u202e"
    assert printable("a\nb\tc", keeps="\n") == "a\nb\\tc"


@pytest.mark.parametrize("text", ["", "é", "漢字", "👩\u200d💻", "a\u00a0b", "क\u200dष", "[red]x"])
def test_what_people_write_stays(text: str) -> None:
    assert printable(text) == text


def _rows(output: Output) -> None:
    output.rows([{"id": "1", "name": _HOSTILE}], _COLUMNS)


def _record(output: Output) -> None:
    output.record({"id": "1", "name": _HOSTILE}, _COLUMNS)


def _say(output: Output) -> None:
    output.say(f"Deleted {_HOSTILE}")


@pytest.mark.parametrize("write", [_rows, _record, _say])
def test_no_name_gives_a_terminal_orders(
    write: Callable[[Output], None], capsys: pytest.CaptureFixture[str]
) -> None:
    write(Output())
    written = capsys.readouterr()
    assert all(each.isprintable() for each in (written.out + written.err).replace("\n", ""))
    assert r"\x1b]0;title" in written.out + written.err


@pytest.mark.usefixtures("is_drawn")
def test_nor_where_tables_are_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    _rows(Output())
    shown = capsys.readouterr().out
    assert all(each.isprintable() for each in shown.replace("\n", ""))


@pytest.mark.usefixtures("is_drawn")
def test_a_name_in_brackets_is_drawn_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("[team] web", "[/]", ":smile:", "[bold]x[/bold]")
    Output().rows([{"id": "1", "name": name} for name in names], _COLUMNS)
    shown = capsys.readouterr().out
    assert [name for name in names if name not in shown] == []


def test_neither_does_an_error() -> None:
    for error in (Failed(f"No {_HOSTILE}"), RefusedByGateway(404, f"No {_HOSTILE}", None)):
        assert error.format_message().isprintable()


def test_a_name_that_cannot_be_typed_is_asked_for_as_it_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("click.prompt", lambda *_, **__: r"a\x1b[2Jb")
    confirm_by_name("a\x1b[2Jb", "delete it", is_sure=False)


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "@SUM(1)", "+cmd", "-2+3", "\t=1", "\r=1"])
def test_a_spreadsheet_calculates_nothing_that_others_wrote(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "-5", "-0.5", "+1e9", "alice", "a=b", "openai:gpt-4o"])
def test_other_texts_are_in_csv_as_they_are(text: str) -> None:
    assert csv_cell(text) == text
