"""Which address a provider has here, what it serves there, and whether it may be a private one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import WrongSetting
from bursar.domain.upstream_urls import url_of
from bursar.upstream.catalogue import load_catalogue
from bursar.upstream.own_servers import own_server
from bursar.upstream.provider_settings import ProviderSettings
from bursar.upstream.targets import addressed, resolve_targets, role_providers
from tests.fakes.service_account import federation_file

if TYPE_CHECKING:
    from bursar.domain.upstream import Target

CATALOGUE = load_catalogue()
KEY = "sk-canary-0123456789"


def target(
    name: str, settings: ProviderSettings | None = None, environ: dict[str, str] | None = None
) -> Target:
    configured = {} if settings is None else {name: settings}
    return resolve_targets(configured, environ or {}, CATALOGUE)[name]


def refusal(name: str, settings: ProviderSettings, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(WrongSetting) as refused:
        resolve_targets({name: settings}, environ or {}, CATALOGUE)
    assert KEY not in refused.value.message
    return refused.value.message


def test_an_endpoint_elsewhere_stays_behind_when_the_administrator_moves_the_base() -> None:
    at_home = target("deepseek", ProviderSettings(KEY))
    moved = target("deepseek", ProviderSettings(KEY, api_base="https://proxy.example"))
    assert set(at_home.provider.endpoints) == {"chat", "responses", "messages"}
    assert set(moved.provider.endpoints) == {"chat", "responses"}


def test_an_endpoint_at_the_same_base_moves_with_it() -> None:
    moved = target("openrouter", ProviderSettings(KEY, api_base="https://proxy.example/v1"))
    assert moved.provider is CATALOGUE["openrouter"]


def test_messages_may_have_a_base_of_their_own_in_the_way_of_anthropics_sdk() -> None:
    settings = ProviderSettings(
        KEY, api_base="https://eu.example/v1", messages_base="https://eu.example/anthropic/"
    )
    endpoint = target("deepseek", settings).provider.endpoints["messages"]
    assert endpoint.base_url == "https://eu.example/anthropic"
    assert endpoint.path == "/v1/messages"
    assert (endpoint.auth_header, endpoint.auth_prefix) == ("x-api-key", "")
    assert endpoint.headers == {"anthropic-version": "2023-06-01"}
    given = ProviderSettings(KEY, messages_base="ftp://x")
    assert refusal("openai", given).startswith("providers.openai.messages_base: ")


@pytest.mark.parametrize(
    "settings",
    [
        ProviderSettings(KEY, api_base="https://proxy.example/v1/"),
        ProviderSettings(KEY, api_base="https://proxy.example"),
    ],
)
def test_anthropics_base_may_be_given_with_its_version_or_without(
    settings: ProviderSettings,
) -> None:
    assert target("anthropic", settings).base_url == "https://proxy.example"
    own = replace(settings, dialect="anthropic")
    assert target("claude", own).base_url == "https://proxy.example"
    messages = ProviderSettings(KEY, messages_base=settings.api_base)
    endpoint = target("openai", messages).provider.endpoints["messages"]
    assert endpoint.base_url == "https://proxy.example"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("vertexai", "https://psc.example"),
        ("vertexaianthropic", "https://psc.example"),
        ("vertexaianthropic", "https://psc.example/v1"),
    ],
)
def test_a_private_host_of_vertex_ai_gets_the_project_and_the_location(
    name: str, given: str
) -> None:
    parameters = {"credentials_file": "/keys/sa.json", "project": "p", "location": "eu"}
    found = target(name, ProviderSettings(api_base=given, parameters=parameters))
    endpoint = next(iter(found.provider.endpoints.values()))
    url = url_of(found, endpoint, "m", is_streamed=False)
    assert url.startswith("https://psc.example/v1/projects/p/locations/eu/")


def test_an_endpoint_whose_address_lacks_a_parameter_is_not_there() -> None:
    assert "messages" not in target("dashscope", ProviderSettings(KEY)).provider.endpoints
    parameters = {"workspace": "ws-1", "region": "ap-southeast-1"}
    whole = target("dashscope", ProviderSettings(KEY, parameters=parameters))
    assert "messages" in whole.provider.endpoints


def test_parameters_come_from_the_settings_then_the_environment_then_the_catalogue() -> None:
    environ = {"VERTEXAI_LOCATION": "europe-west1", "GOOGLE_CLOUD_PROJECT": "second"}
    file = {"credentials_file": "/keys/sa.json"}
    found = target("vertexai", ProviderSettings(parameters={**file, "project": "p"}), environ)
    assert found.parameters == {**file, "project": "p", "location": "europe-west1"}
    assert target("watsonx", ProviderSettings(KEY)).parameters == {"region": "us-south"}


@pytest.mark.parametrize("value", ["evil.example/", "a b", "x@y", "-", "a#b", "{region}"])
def test_a_parameter_that_could_change_an_address_is_refused(value: str) -> None:
    given = ProviderSettings(KEY, parameters={"region": value})
    assert refusal("bedrock", given).startswith("providers.bedrock.region: ")
    assert "AWS_REGION" in refusal("bedrock", ProviderSettings(KEY), {"AWS_REGION": value})


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("bedrock", "AWS_REGION"),
        ("azureopenai", "AZURE_RESOURCE_NAME or AZURE_OPENAI_ENDPOINT"),
        ("cloudflare", "CLOUDFLARE_ACCOUNT_ID"),
    ],
)
def test_an_address_that_lacks_a_parameter_is_refused_with_what_would_give_it(
    name: str, missing: str
) -> None:
    assert missing in refusal(name, ProviderSettings(KEY))


def test_a_signature_names_a_region_even_where_the_address_does_not() -> None:
    given = ProviderSettings(api_base="https://vpce-1.example")
    assert refusal("bedrock", given).startswith("providers.bedrock.region: ")


def test_azure_is_found_by_its_resources_name() -> None:
    found = target("azureopenai", ProviderSettings(KEY, parameters={"resource": "mine"}))
    assert found.base_url == "https://{resource}.openai.azure.com/openai/v1"
    assert found.parameters == {"resource": "mine"}
    assert found.provider.auth == "key"


def test_an_identity_that_the_settings_name_takes_the_place_of_the_key() -> None:
    identity = {"resource": "mine", "tenant_id": "t-1", "client_id": "c-1"}
    found = target("azureopenai", ProviderSettings(KEY, parameters=identity))
    assert (found.provider.auth, found.api_key) == ("azure", KEY)
    incomplete = ProviderSettings(parameters={"resource": "mine", "client_id": "c-1"})
    assert "tenant_id" in refusal("azureopenai", incomplete)


def test_an_identity_of_the_environment_is_used_only_where_there_is_no_key() -> None:
    environ = {
        "AZURE_TENANT_ID": "t-1",
        "AZURE_CLIENT_ID": "c-1",
        "AZURE_CLIENT_SECRET": "secret-1",
        "AZURE_RESOURCE_NAME": "mine",
    }
    found = target("azureopenai", ProviderSettings(), environ)
    assert (found.provider.auth, found.api_key) == ("azure", "secret-1")
    with_key = target("azureopenai", ProviderSettings(), {**environ, "AZURE_OPENAI_API_KEY": KEY})
    assert (with_key.provider.auth, with_key.api_key) == ("key", KEY)


SERVICE_ACCOUNT = (
    '{"type": "service_account", "project_id": "its-own", "client_email": "a@b.example",\n'
    ' "private_key": "-----BEGIN PRIVATE KEY-----\\nMII\\n"}'
)


def test_a_service_account_brings_its_project_along_unless_another_is_named() -> None:
    assert target("vertexai", ProviderSettings(SERVICE_ACCOUNT)).parameters["project"] == "its-own"
    named = ProviderSettings(SERVICE_ACCOUNT, parameters={"project": "other"})
    assert target("vertexai", named).parameters["project"] == "other"
    assert target("vertexai", None, {"VERTEXAI_CREDENTIALS": SERVICE_ACCOUNT}).api_key


def test_a_key_that_is_no_service_accounts_is_refused_without_being_shown() -> None:
    assert "JSON key file" in refusal("vertexai", ProviderSettings(KEY))
    assert "client_email" in refusal("vertexai", ProviderSettings('{"type": "service_account"}'))


def test_a_trust_in_an_aws_role_is_a_key_that_needs_a_project_named() -> None:
    trust = federation_file()
    assert "providers.vertexai.project" in refusal("vertexai", ProviderSettings(trust))
    found = target("vertexai", ProviderSettings(trust, parameters={"project": "p"}))
    assert (found.api_key, found.parameters["project"]) == (trust, "p")


def test_a_credentials_file_and_a_project_in_the_environment_are_enough_for_vertex() -> None:
    file = {"GOOGLE_APPLICATION_CREDENTIALS": "/keys/sa.json"}
    assert resolve_targets({}, file, CATALOGUE) == {}
    targets = resolve_targets({}, {**file, "VERTEXAI_PROJECT": "p"}, CATALOGUE)
    assert targets.keys() == {"vertexai", "vertexaianthropic"}


def test_variables_of_other_programs_do_not_stop_a_start_that_needs_none_of_them() -> None:
    environ = {"AWS_REGION": "no region", "CLOUDFLARE_ACCOUNT_ID": "a/b", "OPENAI_API_KEY": KEY}
    assert resolve_targets({}, environ, CATALOGUE).keys() == {"openai"}
    assert addressed(CATALOGUE, environ)["bedrock"].base_url == ""
    with pytest.raises(WrongSetting, match="CLOUDFLARE_ACCOUNT_ID"):
        resolve_targets({}, {**environ, "CLOUDFLARE_API_TOKEN": KEY}, CATALOGUE)


def test_an_aws_role_is_used_only_where_it_is_asked_for() -> None:
    environ = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    assert resolve_targets({}, environ, CATALOGUE) == {}
    configured = role_providers(["bedrock"], CATALOGUE)
    found = resolve_targets(configured, environ, CATALOGUE)["bedrock"]
    assert (found.provider.auth, found.api_key) == ("aws", None)
    assert found.parameters == {"region": "eu-west-1"}
    with pytest.raises(WrongSetting, match="BURSAR_ROLE_PROVIDERS: openai takes no AWS role"):
        role_providers(["openai"], CATALOGUE)


def test_a_bedrock_key_in_the_environment_is_enough() -> None:
    environ = {"AWS_REGION": "eu-west-1", "AWS_BEARER_TOKEN_BEDROCK": KEY}
    assert target("bedrock", None, environ).api_key == KEY


def test_a_server_of_ones_own_may_speak_anthropics_dialect() -> None:
    settings = ProviderSettings(KEY, api_base="https://claude.example", dialect="anthropic")
    provider = target("claude", settings).provider
    assert {name: it.path for name, it in provider.endpoints.items()} == {
        "messages": "/v1/messages",
        "count_tokens": "/v1/messages/count_tokens",
    }
    assert (provider.auth_header, provider.auth_prefix) == ("x-api-key", "")


def test_a_server_of_ones_own_may_say_what_it_serves() -> None:
    settings = ProviderSettings(api_base="https://x.example/v1", operations=("chat", "responses"))
    assert set(target("own", settings).provider.endpoints) == {"chat", "responses"}
    wrong = ProviderSettings(api_base="https://x.example/v1", operations=("chat", "chats"))
    assert refusal("own", wrong).startswith("providers.own.operations: chats is none")
    odd = ProviderSettings(api_base="https://x.example/v1", dialect="cobol")
    assert refusal("own", odd) == "providers.own.dialect: must be openai or anthropic."


@pytest.mark.parametrize(
    ("said", "known", "other"),
    [
        (None, "max_tokens", "max_completion_tokens"),
        ("max_tokens", "max_tokens", "max_completion_tokens"),
        ("max_completion_tokens", "max_completion_tokens", "max_tokens"),
    ],
)
def test_a_server_of_ones_own_gets_a_limit_under_the_one_name_that_it_knows(
    said: str | None, known: str, other: str
) -> None:
    base = "https://x.example/v1"
    provider = target("own", ProviderSettings(api_base=base, output_limit_field=said)).provider
    assert provider.output_limit_field == known
    assert provider.endpoints["chat"].renamed_fields == {other: known}
    embeds = ProviderSettings(api_base=base, operations=("embeddings",), output_limit_field=said)
    assert set(target("own", embeds).provider.endpoints) == {"embeddings"}


@pytest.mark.parametrize(
    ("api_base", "known"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://eu.api.openai.com/v1", "max_completion_tokens"),
        ("https://second.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://api.deepseek.com", "max_tokens"),
        ("https://notapi.openai.com.example/v1", "max_tokens"),
        ("https://myapi.openai.com/v1", "max_tokens"),
        ("http://localhost:8000/v1", "max_tokens"),
        ("not a url", "max_tokens"),
        ("https://[", "max_tokens"),
    ],
)
def test_another_account_of_a_known_provider_knows_what_that_does(
    api_base: str, known: str
) -> None:
    own = own_server("second", ProviderSettings(api_base=api_base), CATALOGUE)
    assert own.output_limit_field == known


def test_a_limit_that_no_server_knows_is_refused() -> None:
    odd = ProviderSettings(api_base="https://x.example/v1", output_limit_field="length")
    assert refusal("own", odd).startswith("providers.own.output_limit_field: must be max_tokens or")


@pytest.mark.parametrize(
    "settings",
    [
        ProviderSettings(KEY, dialect="anthropic"),
        ProviderSettings(KEY, operations=("chat",)),
        ProviderSettings(KEY, output_limit_field="max_tokens"),
    ],
)
def test_what_a_known_provider_serves_is_not_the_administrators_to_say(
    settings: ProviderSettings,
) -> None:
    assert "for servers of your own" in refusal("groq", settings)


def test_a_file_is_no_key_of_a_provider_that_takes_none() -> None:
    settings = ProviderSettings(parameters={"credentials_file": "/keys/sa.json"})
    assert "openai needs a key" in refusal("openai", settings)


def test_a_key_may_travel_in_another_header() -> None:
    base = "https://x.example/v1"
    bare = target("own", ProviderSettings(KEY, api_base=base, auth_header="X-Token")).provider
    assert (bare.auth_header, bare.auth_prefix) == ("x-token", "")
    settings = ProviderSettings(KEY, api_base=base, auth_prefix="Token ")
    prefixed = target("own", settings).provider
    assert (prefixed.auth_header, prefixed.auth_prefix) == ("authorization", "Token ")
    wrong = ProviderSettings(KEY, api_base=base, auth_header="content-length")
    assert refusal("own", wrong).startswith("providers.own.auth_header: ")
    wrong = ProviderSettings(KEY, api_base=base, auth_prefix="a\r\nb")
    assert refusal("own", wrong).startswith("providers.own.auth_prefix: ")


@pytest.mark.parametrize(
    ("name", "settings", "is_allowed"),
    [
        ("openai", ProviderSettings(KEY), True),  # the catalogue's own, perhaps over PrivateLink
        ("openai", ProviderSettings(KEY, api_base="https://proxy.example/v1"), False),
        ("openai", ProviderSettings(KEY, messages_base="https://proxy.example"), False),
        ("ollama", ProviderSettings(api_base="http://10.0.0.7:11434"), True),  # local by nature
        ("own", ProviderSettings(api_base="http://10.0.0.7/v1"), False),
        ("own", ProviderSettings(api_base="http://10.0.0.7/v1", allow_private_network=True), True),
    ],
)
def test_an_address_that_the_administrator_gave_is_guarded_unless_it_is_said_to_be_private(
    name: str, settings: ProviderSettings, *, is_allowed: bool
) -> None:
    assert target(name, settings).allows_private is is_allowed
    everywhere = resolve_targets({name: settings}, {}, CATALOGUE, allows_private=True)
    assert everywhere[name].allows_private


def test_an_address_of_the_environment_is_guarded_too() -> None:
    environ = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "https://proxy.example/v1"}
    assert not target("openai", None, environ).allows_private
    assert not addressed(CATALOGUE, environ)["openai"].allows_private
    assert addressed(CATALOGUE, {})["openai"].allows_private
    assert addressed(CATALOGUE, environ, allows_private=True)["openai"].allows_private
