"""The functions' artifacts, as the Makefile builds them: for Lambda, and for this machine."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FUNCTIONS = {
    "proxy": "ProxyFunction",
    "admin": "AdminFunction",
    "budget_reset": "BudgetResetFunction",
}
RUNTIME = (3, 13)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python that measures; `is_the_runtimes` if it is of Lambda's minor version."""

    path: str
    version: str

    @property
    def is_the_runtimes(self) -> bool:
        return self.version.startswith("{}.{}.".format(*RUNTIME))

    @property
    def minor(self) -> str:
        return ".".join(self.version.split(".")[:2])


def interpreter(*candidates: str) -> Interpreter:
    """The first candidate that runs.

    Raises:
        FileNotFoundError: none does.
    """
    for path in candidates:
        try:
            said = subprocess.run(
                [path, "-c", "import platform; print(platform.python_version())"],
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError:
            continue
        if said.returncode == 0:
            return Interpreter(path, said.stdout.strip())
    raise FileNotFoundError(f"none of {', '.join(candidates)} runs")


def build(function: str, folder: Path, *, python: str, platform: str | None = None) -> None:
    """Build a function's artifact.

    Args:
        python: compiles the bytecode; if it is not of the runtime's version, there is none.
        platform: uv's arguments for another platform than Lambda's.
    """
    environ = {name: it for name, it in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", f"build-{FUNCTIONS[function]}", f"ARTIFACTS_DIR={folder}"]
    command.append(f"PYTHON_LAMBDA={python}")
    if platform is not None:
        command.append(f"LAMBDA_PLATFORM={platform}")
    built = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    if built.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {built.stderr[-2000:]}")


def build_here(function: str, folder: Path, python: Interpreter) -> None:
    """The same locked requirements for this machine, with bytecode as the build makes it."""
    build(function, folder, python="false", platform=f"--python-version {python.minor}")
    compiling = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run([python.path, *compiling], check=True, capture_output=True)


def bytes_of(folder: Path, suffix: str = "") -> int:
    """What the files of a folder take, unzipped."""
    return sum(it.stat().st_size for it in folder.rglob(f"*{suffix}") if it.is_file())
