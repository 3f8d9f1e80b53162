"""`bursar --stack`: a deployed stack, administered with an AWS identity and no master key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.deployment.emulator import REGION
from tests.deployment.stack import NAME
from tests.e2e.command import Command
from tests.e2e.gateway_process import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployment.deployed import Deployed

MODEL = "openai:gpt-5-nano"


def _command(bursar: Deployed, tmp_path: Path, **environ: str) -> Command:
    identity = {**bursar.aws.environ, "AWS_REGION": REGION, "BURSAR_MASTER_KEY": ""}
    return Command(tmp_path / "home", None, {**identity, **environ})


@pytest.fixture
def command(bursar: Deployed, tmp_path: Path) -> Command:
    return _command(bursar, tmp_path, BURSAR_STACK=NAME)


def test_a_key_is_made_without_a_master_key_and_works(bursar: Deployed, command: Command) -> None:
    issued = command.json("keys", "create", "--user", "direct-ada", "--name", "laptop")
    assert issued["user_id"] == "direct-ada"
    models = bursar.stack.json("GET", "/v1/models", key=issued["key"])
    assert models["object"] == "list"

    listed = command.json("keys", "list", "--user", "direct-ada")
    assert [each["id"] for each in listed] == [issued["id"]]
    command("keys", "delete", issued["id"], "--yes")
    # A function remembers a key for seconds.
    assert until(lambda: _is_refused(bursar, issued["key"]), timeout_s=30, pause_s=0.5)


def test_the_audit_log_has_the_identity_that_asked(bursar: Deployed, command: Command) -> None:
    arn = bursar.aws.client("sts").get_caller_identity()["Arn"]
    assert command.json("whoami")["identity"] == arn
    command("users", "create", "direct-eve")
    command("users", "block", "direct-eve")
    entries = bursar.stack.json("GET", "/v1/audit?limit=20")["data"]
    (blocked,) = [each for each in entries if "direct-eve" in each["ids"].values()]
    assert (blocked["actor_kind"], blocked["actor_name"]) == ("aws", arn)


def test_a_stack_of_another_name_is_not_found(command: Command) -> None:
    ended = command.run("status", "--stack", "no-such-stack", "-o", "json")
    assert ended.exit_code == 3
    assert "no-such-stack" in json.loads(ended.said)["error"]["message"]


def test_who_may_not_invoke_the_control_plane_is_told_what_is_missing(
    bursar: Deployed, tmp_path: Path
) -> None:
    identity = _user_who_may(bursar, "cloudformation:DescribeStacks", "sts:GetCallerIdentity")
    command = _command(bursar, tmp_path, BURSAR_STACK=NAME, **identity)
    ended = command.run("keys", "list")
    assert ended.exit_code == 4, ended.said
    assert "lambda:InvokeFunction" in ended.said


def test_the_guide_leads_to_an_answer_through_the_stacks_own_address(
    bursar: Deployed, tmp_path: Path
) -> None:
    command = _command(bursar, tmp_path)
    # The emulator's API is not at the address that AWS would give it.
    where = ("--stack", NAME, "--url", bursar.stack.url)
    done = command.json("init", *where, "--user", "direct-ida", "--model", MODEL, "--yes")
    assert done["url"] == bursar.stack.url
    assert done["answer"]
    assert done["cost"] > 0
    assert (
        not (command.home / ".config" / "bursar" / "credentials.json").read_text().count("master")
    )

    answered = command.run("chat", MODEL, "Hello", "--dialect", "messages")
    assert answered.exit_code == 0, answered.said
    assert answered.data.strip()
    assert "$" in answered.said
    state: dict[str, Any] = command.json("status")
    assert state["gateway"] == f"stack {NAME} in {REGION}"
    assert state["today"]["requests"] >= 2


def _is_refused(bursar: Deployed, key: str) -> bool:
    return bursar.stack.ask("GET", "/v1/models", key=key).status_code == 401


def _user_who_may(bursar: Deployed, *actions: str) -> dict[str, str]:
    """An AWS identity that may do just that, as an environment."""
    iam = bursar.aws.client("iam")
    iam.create_user(UserName="reader")
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="reads", PolicyDocument=policy)
    made = iam.create_access_key(UserName="reader")["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
    }
