"""A stack's life, by the commands that the operator's guide names: nothing in its table is lost."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
from botocore.exceptions import ClientError

from infra.deployment import kept
from infra.deployment.aws import Account
from infra.deployment.steps import Deployment, Wanted
from tests.deployment.emulator import (
    REGION,
    ROOT_CREDENTIALS,
    Emulator,
    EmulatorAbsentError,
    emulator,
)
from tests.deployment.stack import Stack, build, sam
from tests.engines import ROOT
from tests.infrastructure.sam import BIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NAME = "bursar-dev"


class EmulatedAccount(Account):
    """Its API Gateway is reached through the emulator's address, not through AWS's names."""

    def __init__(self, aws: Emulator) -> None:
        super().__init__(REGION, aws.url)
        self._aws = aws

    def outputs(self, stack: str) -> Mapping[str, str] | None:
        found = super().outputs(stack)
        return found and {**found, "ApiUrl": Stack(self._aws, stack).url}


@dataclass(frozen=True, slots=True)
class Machine:
    """An administrator's, with the project on it.

    Attributes:
        root: the project's folder.
    """

    aws: Emulator
    folder: Path
    root: Path

    def deploy(self, **parameters: str) -> str:
        """Do what `make deploy` does; its last line."""
        said: list[str] = []
        steps = Deployment(self.root, EmulatedAccount(self.aws), self._run, said.append)
        steps.carry_out(Wanted("dev", parameters=parameters))
        return said[-1]

    def _run(self, command: Sequence[str]) -> None:
        _, verb, *arguments = command
        if verb == "build":
            build(self.aws, self.folder)
        else:
            own = ["--template", str(self.folder / "build" / "template.yaml")]
            config = ["--config-file", str(self.root / "samconfig.toml")]
            sam(self.aws, self.folder, verb, *own, *config, *arguments)

    @property
    def kept(self) -> kept.Kept:
        return kept.load(self.root / ".bursar" / f"{NAME}.json")

    @property
    def stack(self) -> Stack:
        return Stack(self.aws, NAME, self.kept.master_key or "")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    if not (BIN / "sam").exists():
        pytest.skip(f"{BIN} has no sam: run make env")
    for name, value in ROOT_CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    root = tmp_path / "project"
    (root / "functions/server").mkdir(parents=True)
    for name in ("samconfig.toml", "functions/server/first_models.json"):
        shutil.copy(ROOT / name, root / name)
    try:
        with emulator(tmp_path) as aws:
            yield Machine(aws, tmp_path, root)
    except EmulatorAbsentError as reason:
        pytest.skip(f"no AWS emulator: {reason}")


def test_one_command_makes_a_stack_that_answers_and_its_data_outlive_an_upgrade_and_its_end(
    machine: Machine,
) -> None:
    assert pasted(machine.deploy()).text.endswith("data: [DONE]\n\n")
    first, keys = machine.stack, machine.kept
    (spent,) = first.json("GET", "/v1/usage")["data"]

    assert pasted(machine.deploy(LogLevel="DEBUG", ApiBurstLimit="300")).status_code == 200
    second = machine.stack
    assert second.status == "UPDATE_COMPLETE"
    assert (second.url, second.outputs, machine.kept) == (first.url, first.outputs, keys)
    assert spent in second.json("GET", "/v1/usage")["data"]

    _delete(machine.aws)
    kept_items = machine.aws.client("dynamodb").scan(TableName=first.outputs["TableName"])["Items"]
    assert {"USER", "KEY", "BUDGET"} <= {item["pk"]["S"] for item in kept_items}
    assert spent["id"] in {item["sk"]["S"] for item in kept_items}


def pasted(said: str) -> httpx2.Response:
    """Do what the printed curl line says."""
    words = shlex.split(said.partition("\n\n")[2])
    given = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    headers = dict(line.split(": ", 1) for line in given)
    return httpx2.post(words[2], headers=headers, content=words[-1].encode(), timeout=60)


def _delete(aws: Emulator) -> None:
    # Not by `sam delete`: that deletes what was uploaded, too, and does not know the emulator's
    # URLs for nested templates.
    cloudformation = aws.client("cloudformation")
    cloudformation.delete_stack(StackName=NAME)
    waiter = cloudformation.get_waiter("stack_delete_complete")
    waiter.wait(StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=NAME)
