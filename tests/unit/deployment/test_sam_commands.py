from __future__ import annotations

import pytest

from infra.deployment.sam import configured, deploy_command, parameters_of
from tests.engines import ROOT
from tests.infrastructure.template import template


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_an_environment_brings_its_own_parameters(environment: str) -> None:
    config = configured(ROOT / "samconfig.toml", environment)
    parameters = parameters_of(config, {"MockProvider": "true", "ApiRateLimit": "7"})
    assert parameters["Environment"] == environment
    assert parameters["ApiRateLimit"] == "7"
    assert set(parameters) <= set(template()["Parameters"])


def test_what_is_given_wins_over_the_environments_own() -> None:
    config = {"parameter_overrides": ["LogRetentionDays=90", "Note=a=b"]}
    assert parameters_of(config, {"LogRetentionDays": "7"}) == {
        "LogRetentionDays": "7",
        "Note": "a=b",
    }


def test_an_unknown_environment_is_said() -> None:
    with pytest.raises(ValueError, match="staging"):
        configured(ROOT / "samconfig.toml", "staging")


def test_sam_is_told_where_and_what() -> None:
    command = deploy_command(
        "sam", environment="dev", stack="s", region="eu-west-1", parameters={"B": "2", "A": "1"}
    )
    assert command == [
        *("sam", "deploy", "--config-env", "dev", "--stack-name", "s", "--region", "eu-west-1"),
        *("--parameter-overrides", "A=1", "B=2"),
    ]
