"""`bursar import --stack`: a team moves onto a deployed stack, by an AWS identity alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.deployment.emulator import REGION
from tests.deployment.stack import NAME
from tests.e2e.command import Command
from tests.e2e.gateway_process import until
from tests.fakes.other_gateways import (
    ANY_LLM_KEYS,
    any_llm_database,
    litellm_database,
    litellm_digest,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployment.deployed import Deployed

MODEL: Final = "openai:gpt-5-nano"
KEY: Final = "sk-dUmmyKeyThatMovesToAStack_0123"
CONFIG: Final[dict[str, Any]] = {
    "model_list": [{"model_name": "moved", "litellm_params": {"model": "openai/gpt-5-nano"}}]
}
ROWS: Final[dict[str, list[dict[str, Any]]]] = {
    "LiteLLM_UserTable": [
        {"user_id": "moved-dora", "spend": 0.5, "max_budget": 2.0, "budget_duration": "30d"}
    ],
    "LiteLLM_VerificationToken": [
        {"token": litellm_digest(KEY), "key_alias": "moved", "user_id": "moved-dora"}
    ],
}


@pytest.fixture
def command(bursar: Deployed, tmp_path: Path) -> Command:
    identity = {**bursar.aws.environ, "AWS_REGION": REGION, "BURSAR_MASTER_KEY": ""}
    return Command(tmp_path / "home", None, identity)


def test_a_team_moves_from_litellm_without_a_master_key(bursar: Deployed, command: Command) -> None:
    config = command.home / "config.yaml"
    config.write_text(json.dumps(CONFIG), "utf-8")
    database = litellm_database(command.home / "litellm.db", ROWS)
    words = ("import", "litellm", str(config), str(database), "--stack", NAME)

    dry = command.run(*words, "--dry-run", "-o", "json")
    assert dry.exit_code == 0, dry.said
    assert {"alias", "user", "budget", "key"} <= {
        row["kind"] for row in dry.json["steps"] if row["action"] == "create"
    }
    assert command.run("users", "show", "moved-dora", "--stack", NAME).exit_code == 3

    done = command.run(*words, "--yes")
    assert done.exit_code == 0, done.said
    user = command.json("users", "show", "moved-dora", "--stack", NAME)
    assert user["spend"] == 0.5
    assert user["budget_id"]
    # The function looks every half minute whether there are keys of another format.
    assert until(lambda: _chat(bursar, KEY, "moved") == 200, timeout_s=60, pause_s=0.5)
    assert command.json("users", "show", "moved-dora", "--stack", NAME)["spend"] > 0.5

    again = command.run(*words, "--yes", "-o", "json")
    assert {row["action"] for row in again.json["steps"]} <= {"skip", "cannot"}
    assert KEY not in dry.data + done.data + again.data + dry.said + done.said + again.said


def test_a_team_moves_from_a_seed_gateway_and_the_audit_log_says_who_did_it(
    bursar: Deployed, command: Command
) -> None:
    database = any_llm_database(command.home / "gateway.db")
    done = command.run("import", "any-llm", str(database), "--stack", NAME, "--yes")
    assert done.exit_code == 0, done.said
    key = next(iter(ANY_LLM_KEYS.values()))
    assert until(lambda: _chat(bursar, key, MODEL) in (200, 403), timeout_s=30, pause_s=0.5)

    arn = bursar.aws.client("sts").get_caller_identity()["Arn"]
    entries = bursar.stack.json("GET", "/v1/audit?limit=50")["data"]
    made = [each for each in entries if each["actor_name"] == arn and each["method"] == "POST"]
    assert {each["route"] for each in made} >= {"/v1/budgets", "/v1/users", "/v1/keys"}


def _chat(bursar: Deployed, key: str, model: str) -> int:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 5,
    }
    return bursar.stack.ask("POST", "/v1/chat/completions", body, key=key).status_code
