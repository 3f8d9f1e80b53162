from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.secrets.provider_keys import targets_of
from bursar.upstream.catalogue import load_catalogue
from bursar.upstream.provider_settings import ProviderSettings

if TYPE_CHECKING:
    import pytest

KEY = "sk-canary-0123456789"
CATALOGUE = load_catalogue()


def test_a_key_is_enough_for_a_provider_of_the_catalogue() -> None:
    target = targets_of({"openai/api_key": KEY}, {}, CATALOGUE, {})["openai"]
    assert (target.api_key, target.base_url) == (KEY, "https://api.openai.com/v1")


def test_a_server_of_ones_own_needs_its_address() -> None:
    parameters = {"lab/api_base": "https://models.lab.example/v1", "lab/api_key": KEY}
    target = targets_of(parameters, {}, CATALOGUE, {})["lab"]
    assert (target.api_key, target.base_url) == (KEY, "https://models.lab.example/v1")


def test_what_the_settings_say_beside_the_key_stays() -> None:
    configured = {"openai": ProviderSettings("old", headers={"x-team": "blue"}, timeout_s=60)}
    target = targets_of({"openai/api_key": KEY}, configured, CATALOGUE, {})["openai"]
    assert (target.api_key, target.timeout_s) == (KEY, 60)
    assert target.headers == {"x-team": "blue"}


def test_a_slip_is_said_without_the_key_and_costs_its_provider_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    parameters = {
        "openai/api_key": f"{KEY}\nnext line",
        "liner/api_key": KEY,
        "openay/api_key": KEY,
        "groq/api_key": KEY,
        "groq/api_kee": KEY,
        KEY: "no slash",
    }

    assert set(targets_of(parameters, {}, CATALOGUE, {})) == {"groq"}

    said = [(it.getMessage(), getattr(it, "provider", "")) for it in caplog.records]
    assert said.count(("parameter not understood", "")) == 2
    refused = {name for message, name in said if message == "provider left out"}
    assert refused == {"openai", "liner", "openay"}
    shown = [repr(vars(it)) for it in caplog.records if getattr(it, "parameter", "") != KEY]
    assert not any(KEY in it for it in shown)


def test_parameters_say_where_a_provider_is_and_the_environment_in_which_region() -> None:
    parameters = {
        "bedrock/api_key": KEY,
        "azureopenai/api_key": KEY,
        "azureopenai/resource": "mine",
        "claude/api_base": "https://claude.example",
        "claude/dialect": "anthropic",
        "lab/api_base": "https://lab.example/v1",
        "lab/output_limit_field": "max_completion_tokens",
    }
    targets = targets_of(parameters, {}, CATALOGUE, {"AWS_REGION": "eu-west-1"})
    assert targets["bedrock"].parameters == {"region": "eu-west-1"}
    assert targets["azureopenai"].parameters == {"resource": "mine"}
    assert set(targets["claude"].provider.endpoints) == {"messages", "count_tokens"}
    assert targets["lab"].provider.output_limit_field == "max_completion_tokens"


def test_keys_of_the_environment_make_no_target_of_their_own() -> None:
    environ = {"OPENAI_API_KEY": KEY, "AWS_BEARER_TOKEN_BEDROCK": KEY, "AWS_REGION": "eu-west-1"}
    assert targets_of({"groq/api_key": KEY}, {}, CATALOGUE, environ).keys() == {"groq"}


def test_a_private_network_is_open_where_the_deployment_says_so() -> None:
    parameters = {"lab/api_base": "http://10.0.0.5/v1"}
    assert not targets_of(parameters, {}, CATALOGUE, {})["lab"].allows_private
    assert targets_of(parameters, {}, CATALOGUE, {}, allows_private=True)["lab"].allows_private
    said = {**parameters, "lab/allow_private_network": "true"}
    assert targets_of(said, {}, CATALOGUE, {})["lab"].allows_private
