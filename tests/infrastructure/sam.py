"""SAM's own tools, from the environment that `make env` makes for them."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests.engines import ROOT
from tests.infrastructure.template import TEMPLATE

if TYPE_CHECKING:
    from pathlib import Path

BIN = ROOT / ".venv-sam" / "bin"


def run(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool of SAM's environment with no account and no telemetry.

    Skips the test where that environment is not there; `make test` always makes it.
    """
    if not (BIN / tool).exists():
        pytest.skip(f"{BIN / tool} is not there: run make env")
    environ = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    return subprocess.run(
        [BIN / tool, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
        cwd=ROOT,
    )


@cache
def transformed_resources() -> dict[str, Any]:
    """The resources of the template as CloudFormation will get them."""
    result = run("python", ROOT / "tests" / "infrastructure" / "transform_template.py", TEMPLATE)
    assert result.returncode == 0, result.stderr
    resources: dict[str, Any] = json.loads(result.stdout)["Resources"]
    return resources
