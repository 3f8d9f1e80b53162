"""A team moves here from LiteLLM's proxy, with its `sk-` keys."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.e2e.command import Command
from tests.e2e.gateway_process import until
from tests.e2e.moving import Moved, chat, moved_by, rows
from tests.fakes.other_gateways import litellm_database, litellm_digest

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment

KEY: Final = "sk-dUmmyKeyOfAnotherProxy_0123"
TEAM_KEY: Final = "sk-dUmmyKeyOfATeamThere_45678"
BLOCKED_KEY: Final = "sk-dUmmyKeyThatIsBlocked_9012"
UNKNOWN_KEY: Final = "sk-dUmmyKeyThatNobodyHas_3456"
SECRET: Final = "sk-canary-provider-key-in-a-file"
WRONG_FORMAT: Final = "Invalid API key format: API key must start with 'gw-' prefix"
CONFIG: Final[dict[str, Any]] = {
    "model_list": [
        {
            "model_name": "fast",
            "litellm_params": {"model": "openai/fake", "api_key": SECRET, "weight": 3},
        },
        {
            "model_name": "fast",
            "litellm_params": {
                "model": "groq/fake",
                "api_key": "os.environ/GROQ_KEY_THERE",
                "weight": 1,
                "input_cost_per_token": 0.0000025,
                "output_cost_per_token": 0.00001,
                "mock_response": "hi",
            },
        },
        {"model_name": "safe", "litellm_params": {"model": "openai/fake", "api_key": SECRET}},
        {"model_name": "openai/*", "litellm_params": {"model": "openai/*"}},
        {
            "model_name": "second",
            "litellm_params": {"model": "openai/other", "api_base": "http://10.0.0.9/v1"},
        },
        {
            "model_name": "third",
            "litellm_params": {
                "model": "mistral/small",
                "api_base": f"https://{SECRET}@mistral.example/v1",
                "aws_secret_access_key": SECRET,
            },
        },
    ],
    "router_settings": {"fallbacks": [{"safe": ["fast"]}], "num_retries": 9, "redis_host": "r"},
    "litellm_settings": {"max_budget": 100, "drop_params": True},
    "general_settings": {"master_key": "sk-master-canary-there"},
}


def _database_rows() -> dict[str, list[dict[str, Any]]]:
    resets = datetime.now(UTC) + timedelta(days=3)
    budget = {"max_budget": 0.001, "budget_duration": "14d", "budget_reset_at": resets}
    return {
        "LiteLLM_UserTable": [
            {"user_id": "dora", "user_email": "dora@example.com", "spend": 0.0007, **budget},
        ],
        "LiteLLM_TeamTable": [
            {
                "team_id": "t1",
                "team_alias": "Search",
                "spend": 0.25,
                "max_budget": 0.25,
                "models": ["fast", "nowhere"],
                "rpm_limit": 500,
            },
        ],
        "LiteLLM_VerificationToken": [
            {
                "token": litellm_digest(KEY),
                "key_name": "sk-...0123",
                "key_alias": "dora's",
                "user_id": "dora",
                "spend": 0.0007,
                "metadata": {"team": "x"},
                "max_parallel_requests": 4,
            },
            {
                "token": litellm_digest(TEAM_KEY),
                "key_alias": "of a team",
                "user_id": "dora",
                "team_id": "t1",
                "models": ["all-team-models"],
            },
            {"token": litellm_digest(BLOCKED_KEY), "key_alias": "blocked", "blocked": True},
            {"token": litellm_digest("x"), "key_alias": "ui", "team_id": "litellm-dashboard"},
            {"token": "sk-in-plain-text", "key_alias": "plain"},
        ],
        "LiteLLM_TagTable": [{"tag_name": "prod", "spend": 1}],
    }


@pytest.fixture(scope="module")
def bursar(served: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Command:
    return Command(tmp_path_factory.mktemp("home"), served.gateway.url)


@pytest.fixture(scope="module")
def moved(bursar: Command, served: Deployment) -> Moved:
    # Whoever presents it before is refused by its format, and the gateway remembers that briefly.
    assert chat(served, KEY).json()["detail"] == WRONG_FORMAT
    database = litellm_database(bursar.home / "litellm.db", _database_rows())
    config = bursar.home / "config.yaml"
    config.write_text(json.dumps(CONFIG), "utf-8")
    return moved_by(bursar, ["litellm", str(config), str(database)])


@pytest.fixture(scope="module")
def works(moved: Moved, served: Deployment) -> None:
    """Wait until the gateway has noticed that there are keys of another format."""
    assert until(lambda: chat(served, KEY).status_code == 200, 60.0, 0.5)


def test_groups_of_models_become_aliases(moved: Moved, bursar: Command) -> None:
    by_name = {alias["name"]: alias for alias in bursar.json("aliases", "list")}
    assert by_name["fast"]["strategy"] == "weighted"
    assert by_name["fast"]["targets"] == [
        {"model": "openai:fake", "weight": 3},
        {"model": "groq:fake", "weight": 1},
    ]
    assert by_name["safe"]["strategy"] == "ordered"
    assert [each["model"] for each in by_name["safe"]["targets"]] == ["openai:fake", "groq:fake"]
    assert by_name["safe"]["retries"] == 5


def test_prices_of_the_configuration_are_taken_over(moved: Moved, bursar: Command) -> None:
    price = bursar.json("prices", "show", "groq:fake")
    assert price["input_price_per_million"] == 2.5
    assert price["output_price_per_million"] == 10


def test_nothing_of_the_configuration_is_dropped_in_silence(moved: Moved) -> None:
    cannot = {row["name"]: row["reason"] for row in rows(moved.dry, action="cannot")}
    assert "litellm_settings.max_budget" in cannot
    assert "litellm_settings.drop_params" in cannot
    assert "router_settings.redis_host" in cannot
    assert "no alias stands for many names" in cannot["openai/* → openai/*"]
    assert "one address and one key" in cannot["second → openai/other"]
    assert "1 tags" in cannot
    assert cannot["plain"] == "it is not kept as a SHA-256"
    (fast,) = rows(moved.dry, kind="alias", name="fast")
    assert "without mock_response of groq/fake" in fast["reason"]


@pytest.mark.usefixtures("works")
def test_an_sk_key_spends_what_is_left_there(served: Deployment, bursar: Command) -> None:
    user = bursar.json("users", "show", "dora")
    assert 0.0007 < user["spend"] <= 0.001
    assert user["alias"] == "dora@example.com"
    left = datetime.fromisoformat(user["next_budget_reset_at"]) - datetime.now(UTC)
    assert timedelta(days=2, hours=23) < left < timedelta(days=3)
    assert 403 in [chat(served, KEY).status_code for _ in range(12)]
    assert bursar.json("users", "show", "dora")["spend"] <= 0.001


@pytest.mark.usefixtures("works")
def test_an_unknown_key_is_refused_in_the_same_words_as_ever(served: Deployment) -> None:
    answer = chat(served, UNKNOWN_KEY)
    assert answer.status_code == 401
    assert answer.json()["detail"] == WRONG_FORMAT


@pytest.mark.usefixtures("works")
def test_a_teams_key_spends_the_teams_money_and_its_models(
    served: Deployment, bursar: Command
) -> None:
    team = bursar.json("users", "show", "team-t1")
    assert team["alias"] == "Search"
    assert team["spend"] == 0.25
    assert team["allowed_models"] == ["fast"]
    assert team["rate_limit_rpm"] == 500
    refused = chat(served, TEAM_KEY, "fast")
    assert refused.status_code == 403
    assert "budget" in refused.json()["detail"]


@pytest.mark.usefixtures("works")
def test_a_blocked_key_stays_blocked(served: Deployment) -> None:
    assert chat(served, BLOCKED_KEY).json()["detail"] == "API key is inactive"


def test_what_of_a_key_stays_behind_is_said(moved: Moved) -> None:
    reasons = [row["reason"] for row in rows(moved.dry, kind="key", action="create")]
    assert any("without max_parallel_requests" in reason for reason in reasons)
    (team,) = rows(moved.dry, kind="user", name="team-t1")
    assert "may not use nowhere" in team["reason"]
    assert rows(moved.dry, name="ui")[0]["action"] == "skip"


def test_another_run_changes_nothing(moved: Moved) -> None:
    assert {row["action"] for row in moved.again.json["steps"]} == {"skip", "cannot"}
    assert "There is nothing to do" in moved.again.said


def test_no_secret_is_printed(moved: Moved) -> None:
    for ended in (moved.dry, moved.done, moved.again):
        for secret in (SECRET, "master-canary", KEY, "sk-in-plain-text"):
            assert secret not in ended.data + ended.said
