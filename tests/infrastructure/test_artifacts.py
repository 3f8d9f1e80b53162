"""What `sam build` packs is enough to start each function, and holds nothing of another."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.engines import ROOT
from tests.infrastructure.template import FUNCTIONS, properties, variables_of

if TYPE_CHECKING:
    from pathlib import Path

LAMBDA = {
    "AWS_ACCESS_KEY_ID": "made-up",
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "AWS_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "made-up",
    "AWS_SESSION_TOKEN": "made-up",
    "PATH": "/usr/bin:/bin",
    "TZ": ":UTC",
}


def build(function: str, artifact: Path, python_lambda: str | None = "false") -> str:
    """Build a function as SAM does, but for the machine that runs the tests; what was said.

    Args:
        python_lambda: compiles the bytecode; None leaves it to the Makefile to find one.
    """
    environ = {name: it for name, it in os.environ.items() if not name.startswith("MAKE")}
    result = subprocess.run(
        [
            "make",
            f"build-{function}",
            f"ARTIFACTS_DIR={artifact}",
            "LAMBDA_PLATFORM=",
            *([] if python_lambda is None else [f"PYTHON_LAMBDA={python_lambda}"]),
        ],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_from_its_artifact_and_its_environment_alone(
    function: str, tmp_path: Path
) -> None:
    build(function, tmp_path)
    module, _, name = properties(function)["Handler"].rpartition(".")
    # Without the site packages of this environment, as in Lambda.
    code = f"import sys; sys.path[:0] = ['']; import {module}; assert callable({module}.{name})"

    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        cwd=tmp_path,
        env={**LAMBDA, **variables_of(function)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    folders = {it.name for it in (tmp_path / "functions").iterdir() if it.is_dir()}
    assert folders - {"__pycache__"} == {module.split(".")[1]}
    assert not list(tmp_path.rglob("*/tests/test_*.py"))


def test_a_build_without_the_runtimes_python_says_what_that_costs(tmp_path: Path) -> None:
    said = build("BudgetResetFunction", tmp_path, python_lambda="python3-is-not-here")
    assert "No bytecode in this build: python3-is-not-here does not run here" in said
    assert not list(tmp_path.rglob("*.pyc"))


def test_bytecode_is_valid_whatever_an_archive_does_to_times(tmp_path: Path) -> None:
    said = build("BudgetResetFunction", tmp_path, python_lambda=None)
    if "No bytecode" in said:
        pytest.skip("there is no Python 3.13 here, and only the runtime's own compiles for it")
    compiled = list((tmp_path / "bursar").rglob("*.cpython-313.pyc"))
    assert len(compiled) >= len(list((tmp_path / "bursar").rglob("*.py")))
    # The second word holds flags: hash-based, and not checked against the source.
    assert {it.read_bytes()[4:8] for it in compiled} == {(1).to_bytes(4, "little")}
