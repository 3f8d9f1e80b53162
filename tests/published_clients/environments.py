"""The environments that `make env` makes for any-llm's published clients, and programs run in them.

A program sees an environment made of what the test says: no key and no setting of the machine's.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.gateway_process import ROOT, TOOLS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROGRAMS: Final = ROOT / "tests" / "published_clients" / "programs"
TIMEOUT_S: Final = 60


@dataclass(frozen=True, slots=True)
class Environment:
    """One SDK with the client it works with.

    Attributes:
        version: of any-llm's SDK.
        platform_path: what ANY_LLM_PLATFORM_URL has after the origin.
    """

    version: str
    platform_path: str = "/api/v1"

    @property
    def folder(self) -> Path:
        return ROOT / f".venv-anyllm-{self.version}"

    @property
    def needed(self) -> pytest.MarkDecorator:
        """What skips a test where the environment could not be made."""
        return pytest.mark.skipif(
            not (self.folder / ".stamp").exists(),
            reason=f"{self.folder.name} is not there, or not whole: run make env",
        )

    def command(self, program: str) -> list[str]:
        return [str(self.folder / "bin" / "python"), str(PROGRAMS / program)]

    def environ(self, origin: str, **more: str) -> dict[str, str]:
        return {
            "PATH": TOOLS,
            "HOME": str(self.folder),
            "ANY_LLM_PLATFORM_URL": origin + self.platform_path,
            **more,
        }

    def run(
        self, command: list[str], environ: Mapping[str, str], given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run something to its end, with a text as its standard input."""
        return subprocess.run(
            command,
            env=environ,
            input=given,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            start_new_session=True,
        )


OLDEST: Final = Environment("1.4", platform_path="")
LAST_WITH_EVENTS: Final = Environment("1.10")
NEWEST: Final = Environment("1.15")
EVERY: Final = (OLDEST, LAST_WITH_EVENTS, NEWEST)
# Its translations between dialects are held against Bursar's own; it knows no platform any more.
ORACLE: Final = Environment("1.40")
