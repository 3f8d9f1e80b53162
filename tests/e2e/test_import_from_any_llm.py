"""A team moves here from any-llm-gateway, and nobody gets a new key."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.command import Command
from tests.e2e.moving import Moved, chat, moved_by, rows
from tests.e2e.seat import Seat
from tests.fakes.other_gateways import (
    ANY_LLM_KEYS,
    any_llm_database,
)

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment

SECRET: Final = "sk-canary-provider-key-in-a-file"
CONFIG: Final = f"""
database_url: sqlite:///${{SEED_DATABASE}}
master_key: master-canary-of-another-gateway
rate_limit_rpm: 60
host: 0.0.0.0
providers:
  openai: {{api_key: {SECRET}}}
  groq: {{api_key: "${{GROQ_KEY_THERE}}"}}
  lab: {{api_base: "http://10.0.0.9/v1", api_key: {SECRET}}}
pricing:
  openai:fake: {{input_price_per_million: 99, output_price_per_million: 99}}
surprise: 1
"""


@pytest.fixture(scope="module")
def bursar(served: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Command:
    return Command(tmp_path_factory.mktemp("home"), served.gateway.url)


@pytest.fixture(scope="module")
def moved(bursar: Command) -> Moved:
    database = any_llm_database(bursar.home / "gateway.db")
    config = bursar.home / "config.yml"
    config.write_text(CONFIG, "utf-8")
    return moved_by(bursar, ["any-llm", str(config)], {"SEED_DATABASE": str(database)})


def test_a_dry_run_shows_each_record_and_changes_nothing(moved: Moved) -> None:
    created = rows(moved.dry, action="create")
    assert {row["kind"] for row in created} == {"budget", "price", "user", "key"}
    assert len([row for row in created if row["kind"] == "key"]) == 3
    assert "$0.0006 spent" in rows(moved.dry, kind="user", name="alice")[0]["reason"]


def test_what_is_left_out_is_named_with_its_reason(moved: Moved) -> None:
    (carol,) = rows(moved.dry, kind="user", name="carol")
    assert carol == {
        "action": "skip",
        "kind": "user",
        "name": "carol",
        "reason": "deleted there",
    }
    assert rows(moved.dry, kind="setting", name="surprise")[0]["action"] == "cannot"
    assert rows(moved.dry, kind="usage", action="skip")[0]["name"] == "2 records"


def test_a_price_that_differs_here_stays_unless_theirs_is_wanted(
    moved: Moved, bursar: Command
) -> None:
    # The database's price comes before the file's, as it does there.
    (price,) = rows(moved.dry, kind="price", name="openai:fake")
    assert price["reason"] == "is here already"


def test_a_key_of_the_other_gateway_spends_what_is_left_there(
    moved: Moved, served: Deployment, bursar: Command
) -> None:
    before = bursar.json("users", "show", "alice")
    assert before["spend"] == 0.0006
    ends_at = datetime.fromisoformat(before["next_budget_reset_at"])
    left = ends_at - datetime.now(UTC)
    assert timedelta(days=9, hours=23) < left < timedelta(days=10)

    answer = chat(served, ANY_LLM_KEYS["alice"])
    assert answer.status_code == 200, answer.text
    spent = Decimal(str(bursar.json("users", "show", "alice")["spend"]))
    assert spent > Decimal("0.0006")

    statuses = [chat(served, ANY_LLM_KEYS["alice"]).status_code for _ in range(12)]
    assert 403 in statuses
    assert bursar.json("users", "show", "alice")["spend"] <= 0.001


def test_keys_keep_their_ids_names_metadata_and_expiry(moved: Moved, bursar: Command) -> None:
    by_name = {key["key_name"]: key for key in bursar.json("keys", "list")}
    assert by_name["laptop"]["metadata"] == {"host": "a1"}
    assert by_name["bob's"]["expires_at"] == "2099-01-01T00:00:00Z"
    assert by_name["lone"]["user_id"] == f"apikey-{by_name['lone']['id']}"


def test_whoever_is_blocked_there_is_blocked_here(moved: Moved, served: Deployment) -> None:
    assert chat(served, ANY_LLM_KEYS["bob"]).status_code == 403
    assert chat(served, ANY_LLM_KEYS["carol"]).status_code == 401


def test_another_run_changes_nothing_and_says_so(moved: Moved) -> None:
    assert {row["action"] for row in moved.again.json["steps"]} == {"skip", "cannot"}
    assert "There is nothing to do" in moved.again.said


def test_what_is_still_to_do_comes_with_commands(moved: Moved) -> None:
    tasks = {task["what"]: task["command"] for task in moved.dry.json["to_do"]}
    told = json.dumps(tasks)
    assert "Provider groq has no key here; its key is in the variable GROQ_KEY_THERE" in told
    assert "read -rs GROQ_API_KEY" in told
    assert "Provider lab is not known here" in told
    assert "Provider openai" not in told
    assert "openai:gpt-0 is in use and has no price" in told
    assert "openai:gpt-4o-mini" not in told
    assert "BURSAR_RATE_LIMIT_RPM=60" in told


def test_no_secret_is_printed(moved: Moved) -> None:
    for ended in (moved.dry, moved.done, moved.again):
        for secret in (SECRET, "master-canary", *ANY_LLM_KEYS.values()):
            assert secret not in ended.data + ended.said


def test_what_was_changed_here_is_only_overwritten_on_demand(
    moved: Moved, served: Deployment, bursar: Command
) -> None:
    database = str(bursar.home / "gateway.db")
    served.gateway.admin("PATCH", "/v1/users/bob", {"blocked": False})
    (kept,) = rows(bursar.run("import", "any-llm", database, "--yes", "-o", "json"), name="bob")
    assert kept["action"] == "skip"
    assert "--update takes theirs" in kept["reason"]
    assert not bursar.json("users", "show", "bob")["blocked"]
    bursar("import", "any-llm", database, "--yes", "--update")
    assert bursar.json("users", "show", "bob")["blocked"]


def test_without_a_terminal_somebody_must_say_yes(bursar: Command) -> None:
    other = any_llm_database(bursar.home / "other.db")
    bursar("prices", "unset", "openrouter:meta/llama", "--yes")
    ended = bursar.run("import", "any-llm", str(other))
    assert ended.exit_code == 2
    assert "add --yes" in ended.said


def test_somebody_at_a_terminal_is_asked_and_can_say_no(moved: Moved, bursar: Command) -> None:
    bursar.run("prices", "unset", "openrouter:meta/llama", "--yes")
    database = str(bursar.home / "gateway.db")
    with Seat(bursar, "import", "any-llm", database) as seat:
        seat.sees("Write 1 record at")
        seat.types("n")
        seat.sees("Nothing was done")
        assert seat.ends() == 2
    assert bursar.run("prices", "show", "openrouter:meta/llama").exit_code == 3


def test_a_database_in_a_variable_that_is_not_set_is_not_passed_over(bursar: Command) -> None:
    config = bursar.home / "other.yml"
    config.write_text(CONFIG, "utf-8")
    ended = bursar.run("import", "any-llm", str(config), "--dry-run")
    assert ended.exit_code == 2
    assert "SEED_DATABASE, which is not set" in ended.said

    alone = bursar.run("import", "any-llm", str(config), "--dry-run", "--no-database", "-o", "json")
    assert rows(alone, kind="database")[0]["action"] == "skip"
    assert not rows(alone, kind="key")
