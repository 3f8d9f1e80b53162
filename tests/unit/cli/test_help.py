"""What `bursar --help` says, without importing what it lists."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from bursar.cli.main import COMMANDS, main

if TYPE_CHECKING:
    from collections.abc import Iterator

NOUNS = ("aliases", "budgets", "keys", "models", "prices", "projects", "providers", "users")
_PROGRAM = """
import sys
from bursar.cli.main import main
try:
    main(["--help"])
except SystemExit:
    pass
print(*sorted(name for name in sys.modules if name.startswith("bursar.")))
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def _loaded(name: str) -> click.Command:
    assert isinstance(main, click.Group)
    command = main.get_command(click.Context(main), name)
    assert command is not None
    return command


def _leaves(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from _leaves(each, *path, name)
    else:
        yield " ".join(path), command


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_what_is_listed_is_there_and_says_what_it_is_in_a_line(name: str) -> None:
    assert _loaded(name).help
    assert COMMANDS[name].help.endswith(".")
    assert len(COMMANDS[name].help) < 68


@pytest.mark.parametrize("name", [*NOUNS, "account", "accounts", "project", "vault"])
def test_the_list_says_of_a_noun_what_it_says_of_itself(name: str) -> None:
    assert COMMANDS[name].help == _loaded(name).get_short_help_str(limit=200)


def test_the_list_imports_none_of_what_it_lists() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    *shown, own, roots = done.stdout.splitlines()
    assert any("users" in line for line in shown)
    listed = {f"bursar.cli.{entry.module}" for entry in COMMANDS.values()}
    assert not listed & set(own.split())
    assert not {"httpx2", "rich", "msgspec", "boto3", "nacl"} & set(roots.split())


@pytest.mark.parametrize("noun", NOUNS)
def test_every_command_of_a_noun_has_an_example_that_is_its_own(noun: str) -> None:
    for path, command in _leaves(_loaded(noun), noun):
        assert f"Example: bursar {path}" in (command.help or ""), path


def test_older_names_work_and_are_not_listed() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    for old, new in (("project", "projects"), ("account", "accounts")):
        assert _loaded(old) is _loaded(new)
        assert f"  {old} " not in shown
        assert f"  {new} " in shown


def test_names_are_completed_without_importing_what_they_lead_to() -> None:
    assert isinstance(main, click.Group)
    found = main.shell_complete(click.Context(main), "pro")
    assert [each.value for each in found] == [
        name for name in sorted(COMMANDS) if name.startswith("pro") and name != "project"
    ]
