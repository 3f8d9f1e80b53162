from __future__ import annotations

from typing import Any

from bursar.domain.provider_standings import KeySource, ProviderStanding
from bursar.upstream.catalogue import load_catalogue
from bursar.upstream.provider_settings import ProviderSettings
from bursar.upstream.standings import Sources, standings_of, unknown_standings
from bursar.upstream.targets import resolve_targets, role_providers

CATALOGUE = load_catalogue()
KEY = "sk-canary"


def standing(
    name: str,
    settings: dict[str, ProviderSettings] | None = None,
    environ: dict[str, str] | None = None,
) -> ProviderStanding:
    configured, environ = settings or {}, environ or {}
    found = resolve_targets(configured, environ, CATALOGUE)
    every = standings_of(CATALOGUE, found, {}, Sources(configured, environ))
    (one,) = [each for each in every if each.name == name]
    assert KEY not in repr(one)
    return one


def source(one: ProviderStanding) -> tuple[Any, ...]:
    return one.is_configured, one.has_key, one.key_from, one.key_name


def test_a_setting_comes_before_a_variable() -> None:
    one = standing(
        "openai", {"openai": ProviderSettings(api_key=KEY)}, {"OPENAI_API_KEY": "another"}
    )
    assert source(one) == (True, True, KeySource.SETTINGS, "providers.openai.api_key")


def test_the_variable_that_holds_the_key_is_named() -> None:
    variable = CATALOGUE["gemini"].env_keys[-1]
    one = standing("gemini", environ={variable: KEY})
    assert source(one) == (True, True, KeySource.ENVIRONMENT, variable)


def test_the_variable_of_an_identitys_secret_is_named() -> None:
    identity = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": KEY}
    environ = {**identity, "AZURE_RESOURCE_NAME": "r"}
    one = standing("azureopenai", {"azureopenai": ProviderSettings()}, environ)
    assert source(one) == (True, True, KeySource.ENVIRONMENT, "AZURE_CLIENT_SECRET")


def test_a_server_of_ones_own_has_its_host_and_no_key() -> None:
    one = standing("mine", {"mine": ProviderSettings(api_base="http://localhost:8080/v1")})
    assert (one.host, *source(one)) == ("localhost:8080", True, False, None, None)


def test_a_role_is_no_key() -> None:
    settings = role_providers(["bedrock"], CATALOGUE)
    one = standing("bedrock", settings, {"AWS_REGION": "eu-central-1"})
    assert source(one) == (True, False, KeySource.ROLE, None)
    assert one.host is not None
    assert "eu-central-1" in one.host


def test_a_file_of_credentials_is_named_by_its_setting() -> None:
    settings = {
        "vertexai": ProviderSettings(parameters={"credentials_file": "/sa.json", "project": "p"})
    }
    one = standing("vertexai", settings)
    assert source(one) == (
        True,
        True,
        KeySource.SETTINGS,
        "providers.vertexai.credentials_file",
    )


def test_an_address_that_depends_on_a_parameter_is_not_told() -> None:
    hosts = {one.name: one.host for one in unknown_standings(CATALOGUE)}
    assert hosts["openai"] == "api.openai.com"
    assert hosts["bedrock"] is None
    assert not any("{" in (host or "") for host in hosts.values())
