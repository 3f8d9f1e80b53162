"""The `bursar` command as a process, with a home and an environment of its own.

Nothing of whoever runs the tests gets into it: no profile, no key, no AWS identity.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.gateway_process import MASTER_KEY, TOOLS

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = Path(sys.executable).with_name("bursar")
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended.

    Attributes:
        data: its standard output.
        said: its standard error.
    """

    exit_code: int
    data: str
    said: str

    @property
    def json(self) -> Any:
        """What `-o json` wrote."""
        return json.loads(self.data)

    @property
    def lines(self) -> list[Any]:
        """What `-o jsonl` wrote."""
        return [json.loads(line) for line in self.data.splitlines()]

    @property
    def rows(self) -> list[dict[str, str]]:
        """What `-o csv` wrote."""
        return list(csv.DictReader(io.StringIO(self.data)))


class Command:
    """Runs `bursar` against a gateway, with the master key in its environment.

    Args:
        home: where its profiles are; made if it is not there.
        url: the gateway's; None leaves it to profiles and options.
        environ: more variables; one that is empty takes a usual one away.
    """

    def __init__(
        self, home: Path, url: str | None, environ: Mapping[str, str] | None = None
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        usual = {
            "PATH": TOOLS,
            "HOME": str(home),
            "BURSAR_URL": url or "",
            "BURSAR_MASTER_KEY": MASTER_KEY,
        }
        self.environ = _without_empty({**usual, **(environ or {})})

    def run(self, *words: str, stdin: str = "", environ: Mapping[str, str] | None = None) -> Ended:
        """Run the command, whatever its end; it must be a considered one."""
        done = subprocess.run(
            [str(PROGRAM), *words],
            env=_without_empty({**self.environ, **(environ or {})}),
            cwd=self.home,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def __call__(
        self, *words: str, stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> str:
        """Run the command and expect success; what it printed on standard output."""
        ended = self.run(*words, stdin=stdin, environ=environ)
        assert ended.exit_code == 0, ended.said
        return ended.data.strip()

    def json(self, *words: str, stdin: str = "") -> Any:
        """Run the command with `-o json`, expect success, and read it."""
        return json.loads(self(*words, "-o", "json", stdin=stdin))


def _without_empty(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if value}
