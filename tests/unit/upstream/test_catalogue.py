from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

import bursar.upstream
from bursar.domain.upstream import Endpoint, Provider
from bursar.domain.upstream_urls import missing_parameters
from bursar.upstream.catalogue import LEFT_OUT, STANDARD_ENDPOINTS, load_catalogue
from bursar.upstream.provider_settings import PARAMETERS, ProviderSettings
from bursar.upstream.targets import resolve_targets
from tests.fakes.service_account import SERVICE_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterable

CATALOGUE = load_catalogue()
ROWS_FILE = Path(next(iter(bursar.upstream.__path__))) / "providers.json"
ROWS: list[dict[str, Any]] = json.loads(ROWS_FILE.read_bytes())
every_provider = pytest.mark.parametrize("provider", CATALOGUE.values(), ids=CATALOGUE.keys())

# What a vendor's page was read for, operation by operation: the reviewed reference says
# the dialects, and these are the rest.
REVIEWED: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors/providers/reviewed.json").read_bytes()
)
# A row says a translation where a provider's own dialect is to be spoken.
NATIVE_EMBEDDINGS = {"bedrock": "titan_embeddings"}
# SageMaker's and Vertex AI's embeddings and Hugging Face's pipeline have no dialect here.
NOT_SERVED = {"sagemaker", "vertexai", "huggingface"}
BEYOND = {
    "baseten",
    "cloudflare",
    "hyperbolic",
    "jina",
    "novita",
    "nvidia",
    "scaleway",
    "siliconflow",
    "stepfun",
    "upstage",
    "vercel",
}


# Whose documentation has `max_completion_tokens`, or who send it on to OpenAI's own models. Others
# may pass over it and answer without any limit, so that what a budget holds would be too little.
KNOW_BOTH_LIMITS = {
    "atlascloud",
    "azure",
    "azureopenai",
    "bedrock",
    "cerebras",
    "edenai",
    "fireworks",
    "gemini",
    "groq",
    "kenari",
    "llama",
    "meta",
    "minimax",
    "moonshot",
    "mzai",
    "neosantara",
    "openai",
    "openrouter",
    "portkey",
    "qiniu",
    "requesty",
    "vercel",
    "vllm",
    "watsonx",
    "xai",
}


def key_of(provider: Provider) -> str:
    return SERVICE_ACCOUNT if provider.auth == "google" else "sk-test"


def given_parameters(provider: Provider) -> dict[str, str]:
    """A value for each parameter of an address; an identity's names are another matter."""
    return {
        name: f"a-{name}"
        for name in provider.parameters
        if name not in ("client_id", "tenant_id", "credentials_file")
    }


def test_the_catalogue_is_read_once() -> None:
    assert load_catalogue() is CATALOGUE


def test_no_two_rows_have_one_name_and_rows_are_sorted() -> None:
    names = [row["name"] for row in ROWS]
    assert names == sorted(set(names))


def test_rows_hold_only_what_differs_from_the_defaults() -> None:
    defaults = {
        field.name: field.default
        for field in dataclasses.fields(Provider)
        if field.default is not dataclasses.MISSING
    }
    for row in ROWS:
        said = {name: value for name, value in row.items() if name in defaults}
        repeated = [name for name, value in said.items() if value == defaults[name]]
        assert repeated == [], row["name"]
        for operation, endpoint in row.get("endpoints", {}).items():
            standard = dataclasses.asdict(STANDARD_ENDPOINTS[operation])
            repeated = [name for name, value in endpoint.items() if value == standard[name]]
            assert repeated == [], (row["name"], operation)


def test_every_provider_of_the_reviewed_reference_is_there_but_those_without_such_an_api() -> None:
    reviewed = {row["name"] for row in REVIEWED}
    left_out = {row["name"] for row in REVIEWED if row["klass"] == "X"}
    assert left_out == LEFT_OUT & reviewed
    assert set(CATALOGUE) == (reviewed - left_out) | BEYOND


@pytest.mark.parametrize(
    "row", [it for it in REVIEWED if it["klass"] != "X"], ids=lambda row: str(row["name"])
)
def test_a_row_serves_what_the_reviewed_reference_says(row: dict[str, Any]) -> None:
    provider = CATALOGUE[row["name"]]
    served = set(provider.endpoints)
    assert ("messages" in served) is bool(row["messages_base"])
    # "T" is what needs a translation: another of the provider's endpoints carries it.
    assert ("chat" in served) is (row["chat"] not in ("", "T"))
    assert ("responses" in served) is bool(row["responses"])
    if row["embeddings"] and provider.name not in NOT_SERVED:
        assert NATIVE_EMBEDDINGS.get(provider.name, "embeddings") in served
    else:
        assert "embeddings" not in served
    assert provider.env_base == row["env_base"]
    assert provider.is_local == (row["klass"] == "L")


@pytest.mark.parametrize(
    "row",
    [it for it in REVIEWED if it["klass"] in ("A", "A-q", "N", "E")],
    ids=lambda row: str(row["name"]),
)
def test_a_base_url_is_the_reviewed_one(row: dict[str, Any]) -> None:
    provider = CATALOGUE[row["name"]]
    assert provider.base_url == row["base_url"]
    if base := row["messages_base"]:
        endpoint = provider.endpoints["messages"]
        whole = (endpoint.base_url or str(provider.base_url)) + endpoint.path
        assert re.sub(r"\{\w+\}", "{}", whole) == re.sub(r"\{\w+\}", "{}", f"{base}/v1/messages")


@every_provider
def test_a_row_is_well_formed(provider: Provider) -> None:
    assert re.fullmatch(r"[a-z0-9]+", provider.name)
    assert re.fullmatch(r"[a-z][a-z-]*", provider.auth_header)
    assert provider.auth_prefix in ("", "Bearer ")
    assert (provider.auth_prefix == "Bearer ") == (provider.auth_header == "authorization")
    assert provider.auth in ("key", "aws", "google", "ibm", "sagemaker")
    assert provider.identity_auth in (None, "azure")
    assert provider.output_limit_field in ("max_tokens", "max_completion_tokens")
    assert set(provider.parameters) <= set(PARAMETERS)
    variables = [*provider.env_keys, provider.env_base or ""]
    variables += [it for one in provider.parameters.values() for it in one.env]
    assert all(not one or re.fullmatch(r"[A-Z][A-Z0-9_]+", one) for one in variables)
    assert len(set(variables)) == len(variables)


@every_provider
def test_an_endpoint_is_well_formed(provider: Provider) -> None:
    for operation, endpoint in provider.endpoints.items():
        assert operation in STANDARD_ENDPOINTS
        for path in (endpoint.path, endpoint.stream_path or "/"):
            assert path.startswith("/")
            assert "//" not in path
        assert endpoint.base_url is None or _is_base(endpoint.base_url, "https")
        renamed = endpoint.renamed_fields
        assert not set(renamed) & set(endpoint.dropped_fields)
        assert not set(renamed.values()) & set(endpoint.dropped_fields)
        assert all(re.fullmatch(r"[a-z][a-z-]*", name) for name in endpoint.headers)


@every_provider
def test_a_rule_names_what_the_provider_serves_and_the_last_one_takes_every_model(
    provider: Provider,
) -> None:
    if not provider.model_rules:
        return
    named = {it for rule in provider.model_rules for it in rule.operations}
    assert named == set(provider.endpoints)
    assert provider.model_rules[-1].pattern == "*"


@every_provider
def test_a_base_url_is_complete_and_encrypted_unless_it_is_local(provider: Provider) -> None:
    if provider.base_url is None:
        assert provider.host_path
        return
    assert _is_base(provider.base_url, "http" if provider.is_local else "https")
    host = urlsplit(provider.base_url).hostname
    assert (host in ("localhost", "127.0.0.1")) is provider.is_local


def test_a_chat_requests_limit_goes_by_the_name_that_its_provider_knows() -> None:
    as_it_comes = {
        name
        for name, row in CATALOGUE.items()
        if "chat" in row.endpoints
        and row.endpoints["chat"].renamed_fields.get("max_completion_tokens") != "max_tokens"
    }
    assert as_it_comes == KNOW_BOTH_LIMITS


def _is_base(url: str, scheme: str) -> bool:
    parts = urlsplit(url)
    assert parts.scheme == scheme
    assert parts.hostname
    assert not parts.path.endswith("/")
    assert (parts.query, parts.fragment, parts.username) == ("", "", None)
    return True


@every_provider
def test_every_parameter_of_an_address_can_be_given(provider: Provider) -> None:
    templates = [provider.base_url or "", *map(_template, provider.endpoints.values())]
    needed = {name for template in templates for name in missing_parameters(template, {})}
    assert needed <= set(provider.parameters)


def _template(endpoint: Endpoint) -> str:
    return (endpoint.base_url or "") + endpoint.path + (endpoint.stream_path or "")


@every_provider
def test_a_row_makes_a_target_from_its_settings(provider: Provider) -> None:
    settings = ProviderSettings(
        api_key=key_of(provider),
        api_base="https://gateway.example/some/path/",
        parameters=given_parameters(provider),
    )
    target = resolve_targets({provider.name: settings}, {}, CATALOGUE)[provider.name]
    assert target.provider.name == provider.name
    assert target.base_url == "https://gateway.example/some/path"
    assert target.api_key == key_of(provider)
    assert key_of(provider) not in repr(target)


@every_provider
def test_a_row_makes_a_target_from_its_environment_variables(provider: Provider) -> None:
    assert provider.env_base
    regions = {"AWS_REGION": "eu-west-1"}
    for variable in provider.env_keys or ("NO_KEY_VARIABLE",):
        environ = {
            variable: f" {key_of(provider)}\n",
            provider.env_base: "https://gateway.example/v9",
            **regions,
        }
        targets = resolve_targets({}, environ, CATALOGUE)
        if not provider.env_keys and not provider.is_local:
            assert provider.name not in targets
            continue
        assert targets[provider.name].base_url == "https://gateway.example/v9"
        expected = key_of(provider) if provider.env_keys else None
        assert targets[provider.name].api_key == expected


def test_every_variable_of_a_key_or_a_base_belongs_to_one_provider() -> None:
    def variables() -> Iterable[str]:
        for provider in CATALOGUE.values():
            yield from provider.env_keys
            yield str(provider.env_base)

    everything = list(variables())
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize(
    ("model", "operations"),
    [
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", ("messages",)),
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", ("messages",)),
        ("openai.gpt-oss-120b-1:0", ("chat",)),
        ("openai.gpt-5.5", ("chat", "responses")),
        ("amazon.nova-pro-v1:0", ("converse",)),
        ("us.meta.llama4-maverick-17b-instruct-v1:0", ("converse",)),
        ("amazon.titan-embed-text-v2:0", ("titan_embeddings",)),
        ("cohere.embed-multilingual-v3", ("cohere_embeddings",)),
        ("us.cohere.embed-v4:0", ("cohere_embeddings",)),
        ("amazon.nova-2-multimodal-embeddings-v1:0", ("nova_embeddings",)),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/x", ("converse",)),
    ],
)
def test_a_model_of_bedrock_is_spoken_to_in_its_own_dialect(
    model: str, operations: tuple[str, ...]
) -> None:
    assert CATALOGUE["bedrock"].operations_of(model) == operations
