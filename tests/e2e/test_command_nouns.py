"""Administering by command: the real one, as a process, against a running gateway."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.command import Command
from tests.e2e.deployment import MODEL
from tests.e2e.seat import CTRL_D, Seat

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.deployment import Deployment


@pytest.fixture
def bursar(served: Deployment, tmp_path: Path) -> Command:
    return Command(tmp_path / "home", served.gateway.url)


def _name() -> str:
    return f"user-{uuid.uuid4().hex[:8]}"


def test_a_user_is_made_limited_blocked_found_and_deleted(bursar: Command) -> None:
    name = _name()
    budget = bursar.json("budgets", "create", "--limit", "$20", "--period", "month")
    made = bursar.json(
        *("users", "create", name, "--name", "Alice", "--budget", budget["budget_id"]),
        *("--model", "openai:gpt-4o*", "--rpm", "60", "--metadata", "team=search"),
    )
    assert (made["alias"], made["allowed_models"]) == ("Alice", ["openai:gpt-4o*"])
    assert (made["rate_limit_rpm"], made["metadata"]) == (60, {"team": "search"})

    assert bursar.json("users", "block", name)["blocked"] is True
    blocked = bursar.json("users", "list", "--blocked", "--budget", budget["budget_id"])
    assert [each["user_id"] for each in blocked] == [name]
    assert bursar.json("users", "unblock", name)["blocked"] is False
    freed = bursar.json("users", "update", name, "--model", "", "--rpm", "", "--metadata", "")
    assert (freed["allowed_models"], freed["rate_limit_rpm"]) == (None, None)
    assert (freed["metadata"], freed["alias"]) == ({}, "Alice")

    bursar("users", "delete", name, "--yes")
    assert bursar.run("users", "show", name).exit_code == 3


def test_a_budget_tells_its_holders_and_what_each_has_left(
    served: Deployment, bursar: Command
) -> None:
    budget_id = served.budget("20")
    name = _name()
    bursar("users", "create", name, "--budget", budget_id)
    key = bursar.json("keys", "create", "--user", name, "--budget", budget_id)

    holders = bursar.json("budgets", "holders", budget_id)

    assert [(each["kind"], each["id"], each["left"]) for each in holders] == [
        ("user", name, 20),
        ("key", key["id"], 20),
    ]
    assert bursar.run("budgets", "delete", budget_id, "--yes").exit_code == 5
    bursar("budgets", "delete", budget_id, "--yes", "--detach")
    assert bursar.json("users", "show", name)["budget_id"] is None


def test_a_pool_tells_what_is_spent_and_left(bursar: Command) -> None:
    made = bursar.json("budgets", "create", "--limit", "250", "--period", "30d", "--scope", "pool")
    assert (made["budget_duration_sec"], made["budget_period"]) == (30 * 24 * 3600, None)

    shown = bursar.json("budgets", "show", made["budget_id"])
    assert (shown["spend"], shown["left"]) == (0, 250)

    moved = bursar.json(
        *("budgets", "update", made["budget_id"], "--limit", "0.5", "--period", "day"),
        *("--time-zone", "Europe/Berlin"),
    )
    assert (moved["max_budget"], moved["left"]) == (0.5, 0.5)
    assert (moved["budget_period"], moved["time_zone"]) == ("day", "Europe/Berlin")
    assert bursar.json("budgets", "resets", made["budget_id"]) == []


def test_amounts_keep_all_their_digits(bursar: Command) -> None:
    budget = bursar.run("budgets", "create", "--limit", "123456789012.123456789012", "-o", "json")
    assert '"max_budget": 123456789012.123456789012' in budget.data


def test_prices_are_set_found_told_of_and_removed(bursar: Command) -> None:
    model = f"anthropic:claude-{uuid.uuid4().hex[:8]}"
    told = bursar.json(
        *("prices", "set", model, "--in", "2.7", "--out", "13.5", "--cached-in", "0.27"),
        *("--rate", "cache_write=3.375", "--tier", "200000:input=5.4,output=20.25"),
        *("--context", "200000", "--max-output", "64000"),
    )
    assert (told["input_price_per_million"], told["rates"]) == (2.7, {"cache_write": 3.375})
    assert told["tiers"] == [
        {"above_input_tokens": 200000, "rates": {"input": 5.4, "output": 20.25}}
    ]
    bursar("prices", "set", model, "--in", "3", "--out", "15", "--from", "7d")

    found = bursar.json("prices", "effective", model)
    assert (found["source"], found["price"]["output_price_per_million"]) == ("override", 13.5)
    (later,) = bursar.json("prices", "show", model)["upcoming"]
    assert later["output_price_per_million"] == 15

    bursar("prices", "unset", model, "--yes")
    stated = bursar.run("prices", "history", model, "-o", "csv").rows
    assert [each["is_removed"] for each in stated] == ["true", "false", "false"]
    assert bursar.run("prices", "show", model).exit_code == 3
    refused = bursar.run("prices", "effective", model)
    assert refused.exit_code == 3
    assert model in refused.said


def test_the_catalogue_tells_its_price_whatever_was_set(bursar: Command) -> None:
    bursar("prices", "set", "openai:gpt-4o", "--in", "1", "--out", "1")

    catalogued = bursar.json("prices", "catalogue", "openai:gpt-4o")

    assert catalogued["source"] == "catalogue"
    assert catalogued["price"]["output_price_per_million"] != 1
    unknown = bursar.run("prices", "catalogue", "openai:gpt-0", "-o", "json")
    assert (unknown.exit_code, unknown.json["price"]) == (3, None)
    assert "gpt-0" in unknown.said
    bursar("prices", "unset", "openai:gpt-4o", "--yes")


def test_models_are_those_of_the_configured_providers_with_their_prices(bursar: Command) -> None:
    rows = bursar.run("models", "list", "-o", "csv").rows

    assert {each["model"].partition(":")[0] for each in rows} == {"openai"}
    (fake,) = [each for each in rows if each["model"] == MODEL]
    assert (fake["source"], fake["output_price_per_million"]) == ("override", "10")
    assert "catalogue" in {each["source"] for each in rows}
    assert len(bursar.run("models", "list", "--limit", "3", "-o", "jsonl").lines) == 3
    others = bursar.json("models", "list", "--provider", "anthropic")
    assert {each["source"] for each in others} == {"catalogue"}


def test_providers_tell_where_their_keys_are_and_never_a_key(
    served: Deployment, bursar: Command
) -> None:
    (openai,) = bursar.json("providers", "list")

    assert (openai["name"], openai["is_configured"], openai["has_key"]) == ("openai", True, True)
    assert (openai["key_from"], openai["key_name"]) == ("settings", "providers.openai.api_key")
    assert openai["host"] in served.upstream.base_url
    shown = bursar.json("providers", "show", "groq")
    assert (shown["is_configured"], shown["env_keys"]) == (False, ["GROQ_API_KEY"])
    assert len(bursar.json("providers", "list", "--all")) > 20
    assert bursar.run("providers", "show", "nobody").exit_code == 3


def test_an_alias_is_made_changed_and_deleted(bursar: Command) -> None:
    name = f"fast-{uuid.uuid4().hex[:8]}"
    assert bursar.run("aliases", "set", name, "--retries", "2").exit_code == 2
    made = bursar.json(
        *("aliases", "set", name, "--target", "openai:gpt-4o=9", "--target", "openai:gpt-4.1"),
        *("--tier-down", "openai:gpt-4o-mini=10%"),
    )
    assert (made["strategy"], made["tier_down"]["below_share"]) == ("weighted", 0.1)
    assert [each["weight"] for each in made["targets"]] == [9, 1]

    changed = bursar.json("aliases", "set", name, "--tier-down", "", "--strategy", "ordered")
    assert (changed["tier_down"], len(changed["targets"])) == (None, 2)
    assert name in bursar("aliases", "list")

    bursar("aliases", "delete", name, "--yes")
    assert bursar.run("aliases", "show", name).exit_code == 3


def test_a_key_is_printed_alone_and_works_until_it_is_revoked(bursar: Command) -> None:
    made = bursar.run("keys", "create", "--user", _name(), "--expires", "30d")
    assert made.data.startswith("gw-")
    assert len(made.data.split()) == 1
    (key_id,) = (word.rstrip(";") for word in made.said.split() if word.count("-") == 4)

    assert bursar("keys", "rotate", key_id, "--grace", "1d").startswith("gw-")
    assert bursar.json("keys", "show", key_id)["previous_key_valid_until"]
    assert bursar.json("keys", "update", key_id, "--inactive")["is_active"] is False
    assert key_id in bursar("keys", "list", "--inactive")
    bursar("keys", "delete", key_id, "--yes")
    assert bursar.run("keys", "show", key_id).exit_code == 3


def test_many_are_made_from_a_file_or_the_input(bursar: Command, tmp_path: Path) -> None:
    names = sorted(_name() for _ in range(3))
    lines = "".join(json.dumps({"user_id": name}) + "\n" for name in names)
    made = bursar.run(
        "users", "create", "--from-file", "-", "--rpm", "5", "-o", "jsonl", stdin=lines
    )
    assert [each["user_id"] for each in made.lines] == names
    assert {each["rate_limit_rpm"] for each in made.lines} == {5}

    path = tmp_path / "keys.json"
    path.write_text(json.dumps([{"user_id": name, "key_name": "laptop"} for name in names]))
    issued = bursar.run("keys", "create", "--from-file", str(path), "-o", "csv").rows
    assert [each["user_id"] for each in issued] == names
    assert all(each["key"].startswith("gw-") for each in issued)

    wrong = json.dumps([{"user_id": _name()}, {"user_id": ""}])
    refused = bursar.run("users", "create", "--from-file", "-", stdin=wrong)
    assert refused.exit_code == 2
    assert "Record 2: user_id:" in refused.said
    assert "the 1 before it are done" in refused.said


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        (["budgets", "create", "--limit", "a lot"], 2, "write US dollars as in 20"),
        (["budgets", "create", "--limit", "5", "--time-zone", "Mars"], 2, "time_zone: "),
        (["budgets", "create", "--period", "fortnight"], 2, "day, week or month"),
        (["budgets", "show", "nobody"], 3, "(request "),
        (["users", "update", "nobody"], 2, "nothing to change"),
        (["users", "update", "nobody", "--name", "x"], 3, "nobody"),
        (["users", "delete", "nobody", "--yes"], 3, "nobody"),
        (["prices", "set", MODEL, "--in", "1"], 2, "--out"),
        (["prices", "set", "gpt-4o", "--in", "1", "--out", "2"], 2, "model_key: "),
        (["aliases", "set", "fast", "--target", "gpt-4o"], 2, "names its provider"),
        (["models", "list", "--provider", "nobody"], 3, "nobody"),
        (["keyz"], 2, "did you mean keys"),
    ],
)
def test_what_cannot_be_done_is_said_with_an_exit_code_and_nothing_on_the_output(
    bursar: Command, words: list[str], exit_code: int, said: str
) -> None:
    ended = bursar.run(*words)

    assert (ended.exit_code, ended.data) == (exit_code, "")
    assert said in ended.said


def test_a_wrong_master_key_and_a_gateway_that_is_not_there_are_told_apart(
    bursar: Command,
) -> None:
    assert bursar.run("users", "list", environ={"BURSAR_MASTER_KEY": "wrong"}).exit_code == 4
    assert bursar.run("users", "list", environ={"BURSAR_MASTER_KEY": ""}).exit_code == 4
    nowhere = bursar.run("users", "list", "--url", "http://127.0.0.1:9")
    assert nowhere.exit_code == 1
    assert "Is it running" in nowhere.said


def test_a_second_user_of_the_same_name_is_a_conflict(bursar: Command) -> None:
    name = _name()
    bursar("users", "create", name)
    assert bursar.run("users", "create", name).exit_code == 5


def test_nothing_is_destroyed_unasked(bursar: Command) -> None:
    name = _name()
    bursar("users", "create", name)

    refused = bursar.run("users", "delete", name, stdin=f"{name}\n")

    assert refused.exit_code == 2
    assert "--yes" in refused.said
    assert bursar.json("users", "show", name)["user_id"] == name


def test_every_output_has_the_same_records(bursar: Command) -> None:
    name = _name()
    bursar("users", "create", name, "--name", "Alice, the first")

    as_json: list[Any] = bursar.json("users", "list")
    lines = bursar.run("users", "list", "-o", "jsonl").lines
    rows = bursar.run("users", "list", "-o", "csv").rows
    table = bursar.run("users", "list").data.splitlines()

    assert as_json == lines
    ids = [each["user_id"] for each in as_json]
    assert ids == [each["user_id"] for each in rows] == [line.split()[0] for line in table[1:]]
    assert name in ids
    assert next(row for row in rows if row["user_id"] == name)["alias"] == "Alice, the first"
    chosen = bursar.run("users", "list", environ={"BURSAR_OUTPUT": "jsonl"})
    assert chosen.lines == lines


def test_at_a_terminal_the_name_is_asked_for_and_nothing_else_will_do(bursar: Command) -> None:
    name = _name()
    bursar("users", "create", name)

    with Seat(bursar, "users", "delete", name) as seat:
        seat.sees(f"Type {name} to go on")
        seat.types("yes")
        assert seat.ends() == 2
    with Seat(bursar, "users", "delete", name) as seat:
        seat.sees(f"Type {name} to go on")
        seat.presses(CTRL_D)
        assert seat.ends() == 1
    assert bursar.json("users", "show", name)["user_id"] == name

    with Seat(bursar, "users", "delete", name) as seat:
        seat.sees(f"Type {name} to go on")
        seat.types(name)
        seat.sees("Deleted")
        assert seat.ends() == 0
    assert bursar.run("users", "show", name).exit_code == 3


def test_at_a_terminal_of_any_width_ids_and_amounts_are_whole(bursar: Command) -> None:
    budget_id = bursar.json("budgets", "create", "--limit", "123.456789")["budget_id"]

    for columns in ("40", "200"):
        with Seat(bursar, "budgets", "list", environ={"COLUMNS": columns}) as seat:
            assert seat.ends() == 0
            assert budget_id in seat.screen
            assert "$123.456789" in seat.screen


def test_keys_and_budgets_are_named_by_the_beginning_of_their_ids(bursar: Command) -> None:
    budget_id = bursar.json("budgets", "create", "--limit", "1")["budget_id"]
    name = _name()

    made = bursar.json("users", "create", name, "--budget", budget_id[:8])

    assert made["budget_id"] == budget_id
    assert bursar.json("budgets", "show", budget_id[:8])["budget_id"] == budget_id
    assert bursar.run("budgets", "delete", budget_id[:8], "--yes").exit_code == 3
