"""A stack is upgraded and taken down without losing what was in its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.deployment.emulator import EmulatorAbsentError, emulator
from tests.deployment.stack import NAME, build, delete, deploy
from tests.infrastructure.sam import BIN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployment.emulator import Emulator


@pytest.mark.timeout(300)
def test_data_outlives_an_upgrade_and_the_stack(tmp_path: Path) -> None:
    if not (BIN / "sam").exists():
        pytest.skip(f"{BIN} has no sam: run make env")
    try:
        with emulator(tmp_path) as aws:
            _deploy_upgrade_and_delete(aws, tmp_path)
    except EmulatorAbsentError as reason:
        pytest.skip(f"no AWS emulator: {reason}")


def _deploy_upgrade_and_delete(aws: Emulator, folder: Path) -> None:
    built = build(aws, folder)
    first = deploy(aws, folder, built)
    key = first.json("POST", "/v1/keys", {"user_id": "alice"})["key"]

    second = deploy(aws, folder, built, LogLevel="DEBUG", ApiBurstLimit="300")
    assert second.status == "UPDATE_COMPLETE"
    assert (second.url, second.outputs) == (first.url, first.outputs)
    assert second.ask("GET", "/v1/models", key=key).status_code == 200

    delete(aws)
    with pytest.raises(ClientError, match="does not exist"):
        aws.client("cloudformation").describe_stacks(StackName=NAME)
    table = aws.client("dynamodb")
    kept = table.scan(TableName=first.outputs["TableName"])["Items"]
    assert {"USER", "KEY"} <= {item["pk"]["S"] for item in kept}
