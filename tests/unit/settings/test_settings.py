from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import WrongSetting
from bursar.services.policy import UserField
from bursar.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

_SEED_CONFIG = """
database_url: postgresql://u:p@localhost/gateway
auto_migrate: true
host: 0.0.0.0
port: 8001
master_key: ${MASTER}
rate_limit_rpm: 60
enable_metrics: false
providers:
  openai:
    api_key: ${OPENAI_KEY}
    api_base: https://eu.api.openai.com/v1
    client_args:
      timeout: 60
      custom_headers:
        X-Team: blue
  groq:
pricing:
  openai:gpt-4o:
    input_price_per_million: 2.5
    output_price_per_million: 10
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yml"
    path.write_text(_SEED_CONFIG)
    return path


def _environ(config: Path, **more: str) -> dict[str, str]:
    return {"BURSAR_CONFIG": str(config), "MASTER": "m-key", "OPENAI_KEY": "sk-1"} | more


def test_nothing_given_is_the_defaults() -> None:
    settings = load_settings({"PATH": "/bin"})
    assert (settings.host, settings.port, settings.master_key) == ("127.0.0.1", 8000, None)
    assert settings.policy.directory_age_s == 5


def test_the_seeds_file_is_read_as_it_is(config: Path) -> None:
    settings = load_settings(_environ(config))
    assert settings.master_key == "m-key"
    assert settings.port == 8001
    assert settings.policy.rate_limit_rpm == 60
    openai = settings.providers["openai"]
    assert openai.api_key == "sk-1"
    assert openai.api_base == "https://eu.api.openai.com/v1"
    assert openai.headers == {"x-team": "blue"}
    assert openai.timeout_s == 60
    assert settings.providers["groq"].api_key is None
    assert settings.pricing["openai:gpt-4o"].input_usd_per_million == Decimal("2.5")


def test_the_environment_wins_over_the_file(config: Path) -> None:
    settings = load_settings(_environ(config, BURSAR_PORT="9000", BURSAR_USER_FIELD="any"))
    assert settings.port == 9000
    assert settings.policy.user_field is UserField.ANY


def test_secrets_are_not_in_the_representation(config: Path) -> None:
    shown = repr(load_settings(_environ(config)))
    assert "m-key" not in shown
    assert "sk-1" not in shown


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("BURSAR_PROT", "8000", "did you mean BURSAR_PORT"),
        ("BURSAR_PORT", "http", "BURSAR_PORT must be a number"),
        ("BURSAR_PORT", "70000", "must be a port"),
        ("BURSAR_PORT", "0", "at least 1"),
        ("BURSAR_ALLOW_UNPRICED", "maybe", "must be true or false"),
        ("BURSAR_USER_FIELD", "mine", "must be one of own, pass, any"),
        ("BURSAR_REQUEST_TIMEOUT_S", "nan", "finite"),
        ("BURSAR_HOLD_MARGIN_S", "-1", "zero or more"),
        ("BURSAR_CONFIG", "/nowhere/config.yml", "BURSAR_CONFIG: cannot read"),
    ],
)
def test_a_wrong_variable_is_named_with_its_fix(variable: str, value: str, says: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        load_settings({variable: value})
    assert says in wrong.value.message
    assert variable in wrong.value.message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("port: [1]", "'port' in the configuration file must be a number"),
        ("providers: [openai]", "'providers' in the configuration file must be a mapping"),
        ("providers: {openai: sk}", "'providers.openai'"),
        (
            "providers: {openai: {base_url: 'https://eu.example/v1'}}",
            "providers.openai.base_url is no setting; known are api_key, api_base",
        ),
        ("providers: {mine: {dialect: cobol}}", "providers.mine.dialect must be one of openai"),
        ("providers: {mine: {allow_private_network: maybe}}", "must be true or false"),
        ("pricing: {'a:b': {input_price_per_million: -1}}", "pricing.a:b.input_price_per_million"),
        ("pricing: {'a:b': {input_price_per_million: x}}", "must be a price in dollars"),
        ("master_key: ${NOT_SET}", "${NOT_SET}, which is not set"),
        ("- a\n- b", "must be a mapping of settings"),
        ("a: b: c", "not valid YAML at line 1"),
    ],
)
def test_a_wrong_line_of_the_file_is_named(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "config.yml"
    path.write_text(content)
    with pytest.raises(WrongSetting) as wrong:
        load_settings({"BURSAR_CONFIG": str(path)})
    assert says in wrong.value.message


def test_a_file_that_does_not_parse_shows_none_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("providers: {openai: {api_key: sk-canary-123")
    with pytest.raises(WrongSetting) as wrong:
        load_settings({"BURSAR_CONFIG": str(path)})
    assert "canary" not in str(wrong.value)
    assert wrong.value.__cause__ is None
    assert wrong.value.__suppress_context__


_PROVIDERS = """
providers:
  claude:
    api_base: https://claude.example
    dialect: Anthropic
    auth_header: X-Token
    auth_prefix: "Token "
    allow_private_network: true
  mine: {api_base: "http://10.0.0.1/v1", operations: [chat, responses],
         output_limit_field: max_completion_tokens}
  deepseek: {messages_base: "https://eu.example/anthropic"}
  bedrock: {region: eu-west-1}
  azureopenai: {resource: mine, tenant_id: t-1, client_id: c-1, client_secret: s-1}
  vertexai: {credentials: /keys/sa.json, project: 1234567, location: eu}
  vertexaianthropic: {credentials: {type: service_account, client_email: a@b.example}}
"""


def test_a_provider_may_be_said_to_be_anywhere_and_of_any_dialect(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text(_PROVIDERS)
    providers = load_settings({"BURSAR_CONFIG": str(path)}).providers
    claude = providers["claude"]
    assert (claude.dialect, claude.auth_header, claude.auth_prefix) == (
        "anthropic",
        "X-Token",
        "Token ",
    )
    assert claude.allow_private_network
    assert not providers["mine"].allow_private_network
    assert providers["mine"].operations == ("chat", "responses")
    assert providers["mine"].output_limit_field == "max_completion_tokens"
    assert providers["deepseek"].messages_base == "https://eu.example/anthropic"
    assert providers["bedrock"].parameters == {"region": "eu-west-1"}


def test_credentials_are_a_secret_a_file_or_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text(_PROVIDERS)
    providers = load_settings({"BURSAR_CONFIG": str(path)}).providers
    azure, vertex = providers["azureopenai"], providers["vertexai"]
    assert azure.api_key == "s-1"
    assert azure.parameters == {"resource": "mine", "tenant_id": "t-1", "client_id": "c-1"}
    assert vertex.api_key is None
    assert vertex.parameters == {
        "credentials_file": "/keys/sa.json",
        "project": "1234567",
        "location": "eu",
    }
    key = providers["vertexaianthropic"].api_key
    assert key == '{"type": "service_account", "client_email": "a@b.example"}'
    as_text = tmp_path / "text.yml"
    as_text.write_text("providers: {vertexai: {credentials: ' {\"type\": 1}'}}")
    found = load_settings({"BURSAR_CONFIG": str(as_text)}).providers["vertexai"]
    assert found.api_key == ' {"type": 1}'


def test_roles_and_private_networks_are_off_until_they_are_asked_for() -> None:
    settings = load_settings({})
    assert (settings.role_providers, settings.allow_private_upstreams) == ((), False)
    given = {"BURSAR_ROLE_PROVIDERS": "bedrock, sagemaker", "BURSAR_ALLOW_PRIVATE_UPSTREAMS": "yes"}
    settings = load_settings(given)
    assert settings.role_providers == ("bedrock", "sagemaker")
    assert settings.allow_private_upstreams


def test_an_empty_file_is_an_empty_mapping(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("")
    assert load_settings({"BURSAR_CONFIG": str(path)}).providers == {}


def test_the_variables_of_the_command_are_no_settings_and_no_mistakes() -> None:
    exported = {"BURSAR_URL": "https://gateway.example.com", "BURSAR_API_KEY": "gw-x"}
    assert load_settings({**exported, "BURSAR_PORT": "8001"}).port == 8001
