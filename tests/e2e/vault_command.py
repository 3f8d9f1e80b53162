"""The `bursar` command as a process, for one person with a home of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.gateway_process import MASTER_KEY, TOOLS

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT_S = 60.0


class VaultCommand:
    """Runs `bursar`, with secrets in its environment and never in its arguments.

    Attributes:
        said: everything that was ever printed, on both outputs.
    """

    def __init__(self, home: Path, url: str, email: str, password: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.email = email
        self._home = home
        self.said = ""
        self._environ = {
            "PATH": TOOLS,
            "HOME": str(home),
            "BURSAR_URL": url,
            "BURSAR_MASTER_KEY": MASTER_KEY,
            "BURSAR_PASSWORD": password,
        }

    def token(self) -> str:
        """The session's."""
        login = self._home / ".config" / "bursar" / "login.json"
        token: str = json.loads(login.read_text("utf-8"))["token"]
        return token

    def run(
        self, *words: str, stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command, whatever its end."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("bursar")), *words],
            env={**self._environ, **(environ or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        self.said += done.stdout + done.stderr
        return done

    def __call__(
        self, *words: str, stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> str:
        """Run the command and expect success; what it printed on standard output."""
        done = self.run(*words, stdin=stdin, environ=environ)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
