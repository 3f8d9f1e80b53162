"""Bursar's stack, built and deployed by the SAM CLI, and the way to it through API Gateway."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import httpx2

from tests.deployment.derive_template import derive, load
from tests.deployment.emulator import BIN as EMULATOR_BIN
from tests.engines import ROOT
from tests.infrastructure.sam import BIN as SAM_BIN
from tests.infrastructure.template import TEMPLATE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployment.emulator import Emulator

NAME: Final = "bursar-test"
MASTER_KEY: Final = "master-key-of-the-deployment-in-tests-7f3a"
PARAMETERS: Final = {"Environment": "dev", "TableDeletionProtection": "false"}


class Stack:
    """A deployed one.

    Attributes:
        outputs: the template's.
        resources: physical ids by logical ones.
    """

    def __init__(self, emulator: Emulator, name: str = NAME, master_key: str = MASTER_KEY) -> None:
        self._master_key = master_key
        cloudformation = emulator.client("cloudformation")
        (described,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        self.status = described["StackStatus"]
        self.outputs = {it["OutputKey"]: it["OutputValue"] for it in described["Outputs"]}
        listed = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        self.resources = {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in listed}
        self.url = f"{emulator.url}/_aws/execute-api/{self.resources['Api']}/dev"

    def ask(
        self, method: str, path: str, body: object = None, *, key: str | None = None
    ) -> httpx2.Response:
        """Send a request through API Gateway, with the master key if no other is given."""
        headers = {"authorization": f"Bearer {key or self._master_key}"}
        return httpx2.request(method, self.url + path, json=body, headers=headers, timeout=60)

    def send(
        self, method: str, path: str, content: bytes, headers: dict[str, str]
    ) -> httpx2.Response:
        """Send bytes as they are."""
        return httpx2.request(method, self.url + path, content=content, headers=headers, timeout=60)

    def json(
        self, method: str, path: str, body: object = None, *, key: str | None = None
    ) -> dict[str, Any]:
        """As `ask`, for what has to succeed."""
        answer = self.ask(method, path, body, key=key)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found


def build(emulator: Emulator, folder: Path) -> Path:
    """Build the derived template's functions for the emulator's interpreter."""
    derived = folder / "template.json"
    derived.write_text(json.dumps(derive(load(TEMPLATE.read_text()), emulator.url)))
    # What the template names by a path beside itself.
    if not (beside := folder / "infra").exists():
        beside.symlink_to(ROOT / "infra")
    built = folder / "build"
    places = ["--template", str(derived), "--base-dir", str(ROOT), "--build-dir", str(built)]
    sam(emulator, folder, "build", *places, "--build-in-source")
    return built / "template.yaml"


def deploy(emulator: Emulator, folder: Path, built: Path) -> Stack:
    """Make the stack."""
    digest = hashlib.sha256(MASTER_KEY.encode()).hexdigest()
    parameters = {**PARAMETERS, "MasterKeyDigest": digest}
    sam(
        emulator,
        folder,
        *("deploy", "--template", str(built), "--stack-name", NAME, "--resolve-s3"),
        *("--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar"),
        *("--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())),
    )
    return Stack(emulator)


@cache
def _packages_at_hand() -> str:
    """Where uv keeps what it has fetched: a home of the test's own would have it fetch all anew."""
    asked = [str(ROOT / ".venv" / "bin" / "uv"), "cache", "dir"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def sam(emulator: Emulator, folder: Path, *arguments: str) -> None:
    """Run the SAM CLI on the emulator, with its own words in the failure if it fails."""
    environ = {
        **{name: it for name, it in os.environ.items() if not name.startswith(("AWS_", "MAKE"))},
        **emulator.environ,
        "HOME": str(folder),
        "LAMBDA_PLATFORM": f"--python {EMULATOR_BIN / 'python'}",
        "PYTHON_LAMBDA": str(EMULATOR_BIN / "python"),
        "SAM_CLI_POLL_DELAY": "0.3",
        "SAM_CLI_TELEMETRY": "0",
        "TMPDIR": str(folder),  # it leaves some folders behind
        "UV_CACHE_DIR": _packages_at_hand(),
    }
    with (folder / "sam.log").open("a+") as log:
        command = [str(SAM_BIN / "sam"), *arguments]
        done = subprocess.run(command, env=environ, cwd=folder, stdout=log, stderr=log, check=False)
        log.seek(0)
        assert done.returncode == 0, log.read()
