"""How the command ends: exit codes, errors as JSON, pipes that close, shells' completion."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.command import PROGRAM, Command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.deployment import Deployment


@pytest.fixture
def bursar(served: Deployment, tmp_path: Path) -> Command:
    return Command(tmp_path / "home", served.gateway.url)


@pytest.mark.parametrize("how", [("-o", "json"), ("--output=jsonl",), ("-ojson",)])
def test_an_error_is_json_where_data_is(bursar: Command, how: tuple[str, ...]) -> None:
    ended = bursar.run("users", "show", "nobody-of-this-name", *how)
    error = json.loads(ended.said)["error"]
    assert ended.data == ""
    assert (ended.exit_code, error["exit_code"], error["status"]) == (3, 3, 404)
    assert error["request_id"]
    assert error["request_id"] not in error["message"]


def test_a_wrong_command_line_is_json_as_well(bursar: Command) -> None:
    ended = bursar.run("keys", "list", "--no-such-option", environ={"BURSAR_OUTPUT": "json"})
    assert ended.exit_code == 2
    assert "--no-such-option" in json.loads(ended.said)["error"]["message"]


def test_an_error_is_a_sentence_with_the_requests_id_otherwise(bursar: Command) -> None:
    ended = bursar.run("users", "show", "nobody-of-this-name")
    assert ended.said.startswith("Error: ")
    assert "(request " in ended.said


def test_a_master_key_that_is_not_taken_is_told_with_the_next_step(
    served: Deployment, bursar: Command
) -> None:
    ended = bursar.run("keys", "list", environ={"BURSAR_MASTER_KEY": "of-another-gateway"})
    assert ended.exit_code == 4
    assert f"bursar login {served.gateway.url}" in ended.said
    assert "of-another-gateway" not in ended.said


def test_a_reader_that_stops_reading_is_no_error_to_speak_of(
    served: Deployment, bursar: Command
) -> None:
    for _ in range(3):
        served.holder()
    done = subprocess.run(
        ["/bin/bash", "-c", f"{PROGRAM} keys list -o jsonl | true; echo ${{PIPESTATUS[0]}}"],
        env=bursar.environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("141\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shells_completion_is_printed(bursar: Command, shell: str) -> None:
    assert "_BURSAR_COMPLETE" in bursar("completion", shell)


def test_bash_completes_with_it(bursar: Command) -> None:
    environ = {"_BURSAR_COMPLETE": "bash_complete", "COMP_WORDS": "bursar stat", "COMP_CWORD": "1"}
    assert "status" in bursar.run(environ=environ).data


def test_the_version_is_told(bursar: Command) -> None:
    assert "version" in bursar("--version")
