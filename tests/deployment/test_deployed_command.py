"""The administrator's command on a deployed stack, by AWS identity and without a master key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployment.stack import NAME
from tests.e2e.command import Command

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployment.deployed import Deployed


@pytest.fixture
def command(bursar: Deployed, tmp_path: Path) -> Command:
    identity = {**bursar.aws.environ, "AWS_REGION": bursar.aws.environ["AWS_DEFAULT_REGION"]}
    environ = {"BURSAR_STACK": NAME, "BURSAR_MASTER_KEY": "", **identity}
    # The snapshot of a version that was just published takes a moment.
    bursar.aws.client("lambda").get_waiter("function_active_v2").wait(
        FunctionName=bursar.stack.outputs["AdminFunctionName"], Qualifier="live"
    )
    return Command(tmp_path / "home", None, environ)


def test_the_audit_log_has_the_aws_identity_of_who_changed_something(
    bursar: Deployed, command: Command
) -> None:
    made = command.json("budgets", "create", "--limit", "5")

    entries = command.json("audit", "list", "--actor", "aws", "--since", "10m")

    arn = bursar.aws.client("sts").get_caller_identity()["Arn"]
    assert made["budget_id"]
    assert {entry["actor_name"] for entry in entries} == {arn}
    assert entries[0]["route"] == "/v1/budgets"


def test_the_books_are_read_by_aws_identity(bursar: Deployed, command: Command) -> None:
    rows = command.json("usage", "summary", "--by", "user")
    listed = bursar.stack.json("GET", "/v1/usage?limit=1000")["data"]

    assert sum(row["requests"] for row in rows) == len(listed)


def test_logs_are_found_by_the_stacks_name(command: Command) -> None:
    command.json("keys", "list")

    lines = command.run("logs", "tail", "--function", "admin", "--since", "1h", "-o", "jsonl").lines

    assert {line["function"] for line in lines} == {"admin"}
    assert any("RequestId" in line["message"] for line in lines)
