from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

import bursar.upstream
from bursar.domain.upstream import Provider
from bursar.upstream.catalogue import load_catalogue
from bursar.upstream.targets import OTHER_DIALECTS, ProviderSettings, resolve_targets

if TYPE_CHECKING:
    from collections.abc import Iterable

CATALOGUE = load_catalogue()
ROWS_FILE = Path(next(iter(bursar.upstream.__path__))) / "providers.json"
every_provider = pytest.mark.parametrize("provider", CATALOGUE.values(), ids=CATALOGUE.keys())


def test_the_catalogue_is_read_once() -> None:
    assert load_catalogue() is CATALOGUE


def test_no_two_rows_have_one_name_and_rows_are_sorted() -> None:
    names = [row["name"] for row in json.loads(ROWS_FILE.read_bytes())]
    assert names == sorted(set(names))


def test_rows_hold_only_what_differs_from_the_defaults() -> None:
    defaults = {
        field.name: field.default
        for field in dataclasses.fields(Provider)
        if field.default is not dataclasses.MISSING
    }
    for row in json.loads(ROWS_FILE.read_bytes()):
        said = {name: value for name, value in row.items() if name in defaults}
        repeated = [name for name, value in said.items() if value == defaults[name]]
        assert repeated == [], row["name"]


def test_the_pass_through_providers_are_all_there_and_the_others_are_not() -> None:
    assert len(CATALOGUE) == 44
    assert {"openai", "gemini", "groq", "openrouter", "azureopenai", "ollama", "vllm"} < set(
        CATALOGUE
    )
    assert not OTHER_DIALECTS & set(CATALOGUE)


@every_provider
def test_a_row_is_well_formed(provider: Provider) -> None:
    assert re.fullmatch(r"[a-z0-9]+", provider.name)
    assert re.fullmatch(r"[a-z][a-z-]*", provider.auth_header)
    assert provider.auth_prefix in ("", "Bearer ")
    assert (provider.auth_prefix == "Bearer ") == (provider.auth_header == "authorization")
    assert "chat" in provider.endpoints
    assert provider.endpoints <= {"chat", "embeddings"}
    assert provider.output_limit_field in ("max_tokens", "max_completion_tokens")
    variables = [*provider.env_keys, provider.env_base or "MISSING_BASE"]
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]+", one) for one in variables)
    assert len(set(variables)) == len(variables)


@every_provider
def test_a_base_url_is_complete_and_encrypted_unless_it_is_loopback(provider: Provider) -> None:
    if provider.base_url is None:
        assert provider.host_path
        return
    parts = urlsplit(provider.base_url)
    assert parts.scheme == ("https" if provider.needs_key else "http")
    assert parts.hostname
    assert provider.needs_key or parts.hostname in ("localhost", "127.0.0.1")
    assert not parts.path.endswith("/")
    assert (parts.query, parts.fragment, parts.username) == ("", "", None)
    assert "{" not in provider.base_url


@every_provider
def test_a_row_makes_a_target_from_its_settings(provider: Provider) -> None:
    settings = ProviderSettings(api_key="sk-test", api_base="https://gateway.example/some/v1/")
    target = resolve_targets({provider.name: settings}, {}, CATALOGUE)[provider.name]
    assert target.provider is provider
    assert target.base_url == "https://gateway.example/some/v1"
    assert target.api_key == "sk-test"
    assert "sk-test" not in repr(target)


@every_provider
def test_a_row_makes_a_target_from_its_environment_variables(provider: Provider) -> None:
    assert provider.env_base
    for variable in provider.env_keys or ("NO_KEY_VARIABLE",):
        environ = {variable: " sk-test\n", provider.env_base: "https://gateway.example/v9"}
        targets = resolve_targets({}, environ, CATALOGUE)
        if provider.needs_key and not provider.env_keys:
            assert provider.name not in targets
            continue
        assert targets[provider.name].base_url == "https://gateway.example/v9"
        assert targets[provider.name].api_key == ("sk-test" if provider.env_keys else None)


def test_every_variable_belongs_to_one_provider() -> None:
    def variables() -> Iterable[str]:
        for provider in CATALOGUE.values():
            yield from provider.env_keys
            yield str(provider.env_base)

    everything = list(variables())
    assert len(everything) == len(set(everything))
