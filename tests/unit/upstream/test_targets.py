from __future__ import annotations

import pytest

from bursar.domain.errors import WrongSetting
from bursar.upstream.catalogue import LEFT_OUT, load_catalogue
from bursar.upstream.provider_settings import ProviderSettings
from bursar.upstream.targets import addressed, resolve_targets

CATALOGUE = load_catalogue()
KEY = "sk-canary-0123456789"


def refusal(name: str, settings: ProviderSettings, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(WrongSetting) as refused:
        resolve_targets({name: settings}, environ or {}, CATALOGUE)
    assert KEY not in refused.value.message
    return refused.value.message


def test_nothing_configured_and_nothing_in_the_environment_makes_no_target() -> None:
    assert resolve_targets({}, {}, CATALOGUE) == {}


def test_a_key_in_the_environment_is_enough_for_a_hosted_provider() -> None:
    target = resolve_targets({}, {"OPENAI_API_KEY": KEY}, CATALOGUE)["openai"]
    assert (target.base_url, target.api_key) == ("https://api.openai.com/v1", KEY)
    assert target.timeout_s == 600


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert resolve_targets({}, {"OPENAI_API_KEY": "", "GROQ_API_KEY": " "}, CATALOGUE) == {}


def test_the_first_key_variable_wins() -> None:
    environ = {"GOOGLE_API_KEY": "second", "GEMINI_API_KEY": "first"}
    assert resolve_targets({}, environ, CATALOGUE)["gemini"].api_key == "first"


def test_settings_win_over_the_environment() -> None:
    environ = {"OPENAI_API_KEY": "other", "OPENAI_BASE_URL": "https://other.example/v1"}
    settings = ProviderSettings(api_key=KEY, api_base="https://mine.example/v1")
    target = resolve_targets({"openai": settings}, environ, CATALOGUE)["openai"]
    assert (target.base_url, target.api_key) == ("https://mine.example/v1", KEY)


def test_what_settings_leave_out_comes_from_the_environment() -> None:
    environ = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "https://other.example/v1/"}
    target = resolve_targets({"openai": ProviderSettings()}, environ, CATALOGUE)["openai"]
    assert (target.base_url, target.api_key) == ("https://other.example/v1", KEY)


def test_headers_and_timeout_come_from_the_settings() -> None:
    settings = ProviderSettings(api_key=KEY, headers={"OpenAI-Project": "p 1"}, timeout_s=9.5)
    target = resolve_targets({"openai": settings}, {}, CATALOGUE)["openai"]
    assert target.headers == {"openai-project": "p 1"}
    assert target.timeout_s == 9.5


def test_a_provider_whose_key_is_not_there_is_refused_with_the_variables_that_may_hold_it() -> None:
    message = refusal("gemini", ProviderSettings())
    assert message.startswith("providers.gemini.api_key: ")
    assert "GEMINI_API_KEY or GOOGLE_API_KEY" in message


def test_a_key_that_no_header_may_hold_is_refused_without_being_shown() -> None:
    assert "api_key" in refusal("openai", ProviderSettings(api_key=f"{KEY}\r\nx: y"))
    assert "GROQ_API_KEY" in refusal("groq", ProviderSettings(), {"GROQ_API_KEY": f"{KEY} é"})


def test_a_self_hosted_server_is_used_without_a_key_when_configured() -> None:
    target = resolve_targets({"ollama": ProviderSettings()}, {}, CATALOGUE)["ollama"]
    assert (target.base_url, target.api_key) == ("http://localhost:11434/v1", None)


def test_a_self_hosted_server_is_not_assumed_because_of_its_key_alone() -> None:
    assert resolve_targets({}, {"VLLM_API_KEY": KEY}, CATALOGUE) == {}


@pytest.mark.parametrize(
    ("given", "base_url"),
    [
        ("localhost:11434", "http://localhost:11434/v1"),
        ("http://10.0.0.7:11434/", "http://10.0.0.7:11434/v1"),
        ("https://ollama.com/v1", "https://ollama.com/v1"),
        ("https://models.example/deep/path", "https://models.example/deep/path"),
    ],
)
def test_a_base_given_as_a_host_gets_the_path_its_server_answers_at(
    given: str, base_url: str
) -> None:
    assert resolve_targets({}, {"OLLAMA_HOST": given}, CATALOGUE)["ollama"].base_url == base_url


@pytest.mark.parametrize(
    ("name", "given", "base_url"),
    [
        ("azureopenai", "https://me.openai.azure.com/", "https://me.openai.azure.com/openai/v1"),
        ("azure", "https://me.services.ai.azure.com", "https://me.services.ai.azure.com/openai/v1"),
        ("databricks", "https://dbc-1.example", "https://dbc-1.example/serving-endpoints"),
        ("openai", "https://proxy.example", "https://proxy.example"),
        # What these variables hold for the vendors' own clients.
        ("azure", "https://me.ai.example/models", "https://me.ai.example/openai/v1"),
        ("azureopenai", "https://me.ai.example/openai/", "https://me.ai.example/openai/v1"),
        ("azureopenai", "https://apim.example/openai/v1", "https://apim.example/openai/v1"),
        ("cerebras", "https://api.cerebras.ai", "https://api.cerebras.ai/v1"),
        ("cohere", "https://api.cohere.com", "https://api.cohere.com/compatibility/v1"),
        ("gemini", "https://gemini.example", "https://gemini.example/v1beta/openai"),
        ("groq", "https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("mistral", "https://api.eu.mistral.ai", "https://api.eu.mistral.ai/v1"),
    ],
)
def test_providers_with_an_address_of_their_own_take_its_host(
    name: str, given: str, base_url: str
) -> None:
    settings = ProviderSettings(api_key=KEY, api_base=given)
    assert resolve_targets({name: settings}, {}, CATALOGUE)[name].base_url == base_url


def test_a_provider_without_a_common_address_is_refused_without_a_base() -> None:
    message = refusal("databricks", ProviderSettings(api_key=KEY))
    assert message.startswith("providers.databricks.api_base: ")
    assert "DATABRICKS_HOST" in message
    assert "https://your-host/serving-endpoints" in message


def test_a_key_for_a_provider_without_a_common_address_does_not_stop_the_start() -> None:
    assert resolve_targets({}, {"AZURE_OPENAI_API_KEY": KEY}, CATALOGUE) == {}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("ftp://example", "https://"),
        ("api.example/v1", "https://"),
        ("https://", "https://"),
        (f"https://user:{KEY}@example/v1", "credentials"),
        (f"https://example/v1?key={KEY}", "credentials"),
        ("https://example/v1#x", "credentials"),
        ("https://{resource}.example/v1", "placeholder"),
        ("https://example:99999/v1", "https://"),
        ("https://example:0/v1", "https://"),
        ("https://b\xfccher.example/v1", "xn--"),
        ("https://exa mple/v1", "xn--"),
        ("https://example/a b", "%xx"),
        ("https://example/\xe9", "%xx"),
        ("https://exam\nple/v1", "xn--"),
        ("https://a..example/v1", "xn--"),
        (f"https://{'a' * 64}.example/v1", "xn--"),
        (f"https://{'a.' * 130}example/v1", "xn--"),
        ("https://good.example\\evil.example/v1", "xn--"),
    ],
)
def test_a_base_that_is_no_plain_http_url_is_refused(given: str, fault: str) -> None:
    message = refusal("openai", ProviderSettings(api_key=KEY, api_base=given))
    assert message.startswith("providers.openai.api_base: ")
    assert fault in message


@pytest.mark.parametrize(
    "given", ["https://[2001:db8::1]:8443/v1", "http://10.0.0.7:8000/v1", "https://a_b.example./v1"]
)
def test_a_base_may_be_an_address_or_an_unusual_name(given: str) -> None:
    settings = ProviderSettings(KEY, api_base=given)
    assert resolve_targets({"openai": settings}, {}, CATALOGUE)["openai"].base_url == given


@pytest.mark.parametrize("given", ["nonsense", f"https://user:{KEY}@iam.example", "file:///x"])
def test_a_token_endpoint_that_is_no_url_is_refused_by_its_name(given: str) -> None:
    message = refusal("watsonx", ProviderSettings(KEY, parameters={"token_url": given}))
    assert message.startswith("providers.watsonx.token_url: ")


def test_a_wrong_base_in_the_environment_is_refused_by_the_variables_name() -> None:
    environ = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "nonsense"}
    with pytest.raises(WrongSetting, match=r"^OPENAI_BASE_URL: "):
        resolve_targets({}, environ, CATALOGUE)


def test_plain_http_is_allowed_because_private_servers_often_have_no_tls() -> None:
    settings = ProviderSettings(api_base="http://models.internal:8000/v1")
    assert resolve_targets({"vllm": settings}, {}, CATALOGUE)["vllm"].base_url.startswith("http:")


def test_an_unknown_name_is_refused_with_the_names_that_are_near() -> None:
    message = refusal("opnai", ProviderSettings(api_key=KEY))
    assert "did you mean openai" in message
    assert "providers.opnai.api_base" in message
    assert "did you mean" not in refusal("qqqqq", ProviderSettings(api_key=KEY))


def test_an_unknown_name_with_a_base_is_a_server_of_the_administrators_own() -> None:
    settings = ProviderSettings(api_base="https://llm.corp.example/v1/")
    target = resolve_targets({"corp-llm": settings}, {}, CATALOGUE)["corp-llm"]
    assert target.base_url == "https://llm.corp.example/v1"
    assert target.provider.name == "corp-llm"
    assert {"chat", "embeddings"} < set(target.provider.endpoints)
    assert not {"responses", "messages"} & set(target.provider.endpoints)
    assert target.api_key is None


@pytest.mark.parametrize("name", ["My Provider", "a:b", "a/b", ""])
def test_a_name_that_could_not_stand_before_a_models_colon_is_refused(name: str) -> None:
    assert "a-z" in refusal(name, ProviderSettings(api_base="https://llm.example/v1"))


@pytest.mark.parametrize("name", sorted(LEFT_OUT))
def test_a_provider_without_an_api_for_models_is_refused_by_name(name: str) -> None:
    message = refusal(name, ProviderSettings(api_key=KEY, api_base="https://x.example"))
    assert message.startswith(f"providers.{name}: {name} has no API for language models")


def test_a_key_that_is_none_of_a_providers_is_no_target() -> None:
    environ = {"LINER_API_KEY": KEY, "TYPESAFE_API_KEY": KEY, "ANY_LLM_KEY": KEY}
    assert resolve_targets({}, environ, CATALOGUE) == {}


@pytest.mark.parametrize(
    "headers",
    [{"bad name": "x"}, {"x": "a\r\nb: c"}, {"x": " lead"}, {"Host": "x"}, {"TE": "x"}, {"": "x"}],
)
def test_headers_that_are_none_or_not_the_administrators_are_refused(
    headers: dict[str, str],
) -> None:
    message = refusal("openai", ProviderSettings(api_key=KEY, headers=headers))
    assert message.startswith("providers.openai.client_args.custom_headers: ")


@pytest.mark.parametrize("timeout_s", [0, -1, float("inf"), float("nan")])
def test_a_timeout_that_is_no_time_is_refused(timeout_s: float) -> None:
    message = refusal("openai", ProviderSettings(api_key=KEY, timeout_s=timeout_s))
    assert message.startswith("providers.openai.client_args.timeout: ")


def test_the_mock_provider_is_there_when_configured_and_only_then() -> None:
    target = resolve_targets({"mock": ProviderSettings()}, {}, CATALOGUE)["mock"]
    assert (target.base_url, target.api_key) == ("mock://mock", None)


def test_settings_do_not_show_their_secrets() -> None:
    assert KEY not in repr(ProviderSettings(api_key=KEY, headers={"x-api-key": KEY}))


def test_an_address_in_the_environment_is_known_without_a_key() -> None:
    environ = {"AZURE_OPENAI_ENDPOINT": "https://mine.example", "OPENAI_BASE_URL": ""}
    known = addressed(CATALOGUE, environ)
    assert known["azureopenai"].base_url == "https://mine.example/openai/v1"
    assert known["openai"].base_url == CATALOGUE["openai"].base_url
    assert known["openai"].provider == CATALOGUE["openai"]
    assert known["databricks"].base_url == ""
    assert known.keys() == CATALOGUE.keys()
    assert not any(target.api_key for target in known.values())


def test_an_address_that_is_none_is_refused_with_the_variable_that_holds_it() -> None:
    with pytest.raises(WrongSetting, match="AZURE_OPENAI_ENDPOINT"):
        addressed(CATALOGUE, {"AZURE_OPENAI_ENDPOINT": "mine.example"})


def test_a_projects_key_of_googles_completes_an_address_that_only_lacks_the_project() -> None:
    known = addressed(CATALOGUE, {})["vertexai"]
    assert known.base_url == CATALOGUE["vertexai"].base_url
    assert known.parameters == {"location": "global"}
