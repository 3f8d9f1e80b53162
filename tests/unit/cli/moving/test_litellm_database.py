"""What comes of LiteLLM's users, teams and keys, and that nothing that limits them gets lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bursar.cli.moving.databases import opened
from bursar.cli.moving.findings import Findings, Kind
from bursar.cli.moving.litellm_database import read_database
from tests.fakes.other_gateways import LITELLM_TABLES, litellm_database, litellm_digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TOKEN = litellm_digest("sk-dUmmyKeyOfAnotherProxy_0123")


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Findings]:
    """Read a database with some rows; a key is of dora's and has an alias."""

    def found(key: dict[str, Any], **tables: list[dict[str, Any]]) -> Findings:
        whole = {"token": _TOKEN, "user_id": "dora", "key_alias": "laptop", **key}
        rows = {
            "LiteLLM_UserTable": [{"user_id": "dora"}],
            "LiteLLM_VerificationToken": [whole],
            **{f"LiteLLM_{name}": each for name, each in tables.items()},
        }
        path = litellm_database(tmp_path / "litellm.db", rows)
        findings = Findings()
        with opened(str(path)) as database:
            read_database(database, findings, frozenset(), "UTC")
        return findings

    return found


def _remark(found: Findings) -> str:
    (record,) = [each for each in found.records if each.kind is Kind.KEY]
    return record.about


def test_a_plain_key_comes_without_a_remark(read: Callable[..., Findings]) -> None:
    assert _remark(read({"allowed_routes": ["llm_api_routes"], "key_type": "llm_api"})) == ""


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("tpd_limit", 1000),
        ("budget_fallbacks", {"max_budget": "x"}),
        ("router_settings", {"num_retries": 3}),
        ("max_parallel_requests", 4),
        ("allowed_routes", ["/v1/embeddings"]),
    ],
)
def test_what_limits_it_there_and_cannot_here_is_named(
    read: Callable[..., Findings], column: str, value: object
) -> None:
    assert _remark(read({column: value})) == f"without {column}"


def test_so_is_a_column_that_is_newer_than_this_command(
    read: Callable[..., Findings], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = "tests.fakes.other_gateways.LITELLM_TABLES"
    name = "LiteLLM_VerificationToken"
    monkeypatch.setattr(tables, {**LITELLM_TABLES, name: (*LITELLM_TABLES[name], "moons INT")})
    assert _remark(read({"moons": 2})) == "without moons"


def test_and_what_a_shared_budget_says_of_models_and_days(read: Callable[..., Findings]) -> None:
    budget = {"budget_id": "b", "max_budget": 2.0, "tpd_limit": 5, "allowed_models": ["gpt-4o"]}
    found = read({"budget_id": "b"}, BudgetTable=[budget])
    assert _remark(found) == "without tpd_limit, allowed_models"
    (record,) = [each for each in found.records if each.kind is Kind.KEY]
    assert record.body["budget_id"]


@pytest.mark.parametrize("routes", [["management_routes"], ["info_routes"]])
def test_a_key_that_may_ask_no_model_there_does_not_begin_to_here(
    read: Callable[..., Findings], routes: list[str]
) -> None:
    found = read({"allowed_routes": routes})
    assert [each for each in found.records if each.kind is Kind.KEY] == []
    assert "it may ask no model there" in str(found)


def test_settings_of_the_user_interface_are_counted(read: Callable[..., Findings]) -> None:
    assert "settings" in str(read({}, Config=[{"param_name": "router_settings"}]))
