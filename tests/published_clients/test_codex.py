"""Codex, unmodified, works with a model whose provider speaks chat only.

It runs where a `codex` of version 0.169 or newer is on the path; the model is an alias by a name
that Codex knows, because what it asks for depends on that.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.usage import Status
from tests.fakes.codex_session import Script, Session, serving
from tests.fakes.world import World

if TYPE_CHECKING:
    from pathlib import Path

CODEX = shutil.which("codex") or ""
pytestmark = pytest.mark.skipif(not CODEX, reason="codex is not installed")

PATCH = "*** Begin Patch\n*** Add File: made.txt\n+by the model\n*** End Patch\n"
CONFIG = """
model = "{model}"
model_provider = "bursar"
web_search = "disabled"
[analytics]
enabled = false
[model_providers.bursar]
name = "Bursar"
base_url = "{url}"
env_key = "BURSAR_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""


def _run(session: Session, model: str, folder: Path) -> subprocess.CompletedProcess[str]:
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir()
    (home / "config.toml").write_text(CONFIG.format(model=model, url=session.url))
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "CODEX_HOME": str(home),
        "BURSAR_KEY": session.key,
    }
    options = ["--dangerously-bypass-approvals-and-sandbox", "--skip-git-repo-check"]
    return subprocess.run(
        [CODEX, "exec", *options, "Make a file"],
        cwd=work,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize(
    ("model", "calls"),
    [
        # Tools of the request: a function, and a custom tool with a grammar
        (
            "gpt-5.5",
            [
                ("exec_command", {"cmd": "echo seen > seen.txt"}),
                ("apply_patch", {"input": PATCH}),
            ],
        ),
        # Tools that an item brings along: a custom tool in a namespace
        (
            "gpt-6-sol",
            [
                (
                    "functions__exec",
                    {
                        "input": "await tools.exec_command({cmd: 'echo seen > seen.txt'});\n"
                        "await tools.exec_command({cmd: 'echo by the model > made.txt'});\n"
                        "text('done');"
                    },
                )
            ],
        ),
    ],
)
async def test_codex_runs_the_tools_that_the_model_calls(
    model: str, calls: list[tuple[str, dict[str, Any]]], tmp_path: Path
) -> None:
    script = Script(
        [
            {"reasoning_content": "I should look.", "content": "Looking.", "calls": calls},
            {"content": "All is done."},
        ]
    )
    world = World(providers=["groq"])
    world.upstream = script
    world.completion = world._completion()
    async with serving(world, model) as session:
        done = await asyncio.to_thread(_run, session, model, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "All is done." in done.stdout
    assert (tmp_path / "work" / "seen.txt").read_text() == "seen\n"
    assert (tmp_path / "work" / "made.txt").read_text() == "by the model\n"
    turn = next(each for each in script.chats[-1]["messages"] if each["role"] == "assistant")
    assert turn["reasoning_content"].split() == ["I", "should", "look."]
    assert [call["function"]["name"] for call in turn["tool_calls"]] == [name for name, _ in calls]
    records = await world.records()
    assert len(records) == len(script.chats) == 2
    assert {record.status for record in records} == {Status.SUCCESS}
