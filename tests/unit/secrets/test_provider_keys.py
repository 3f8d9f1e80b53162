from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.secrets.provider_keys import targets_of
from bursar.upstream.catalogue import load_catalogue
from bursar.upstream.targets import ProviderSettings

if TYPE_CHECKING:
    import pytest

KEY = "sk-canary-0123456789"
CATALOGUE = load_catalogue()


def test_a_key_is_enough_for_a_provider_of_the_catalogue() -> None:
    target = targets_of({"openai/api_key": KEY}, {}, CATALOGUE)["openai"]
    assert (target.api_key, target.base_url) == (KEY, "https://api.openai.com/v1")


def test_a_server_of_ones_own_needs_its_address() -> None:
    parameters = {"lab/api_base": "https://models.lab.example/v1", "lab/api_key": KEY}
    target = targets_of(parameters, {}, CATALOGUE)["lab"]
    assert (target.api_key, target.base_url) == (KEY, "https://models.lab.example/v1")


def test_what_the_settings_say_beside_the_key_stays() -> None:
    configured = {"openai": ProviderSettings("old", headers={"x-team": "blue"}, timeout_s=60)}
    target = targets_of({"openai/api_key": KEY}, configured, CATALOGUE)["openai"]
    assert (target.api_key, target.timeout_s) == (KEY, 60)
    assert target.headers == {"x-team": "blue"}


def test_a_slip_is_said_without_the_key_and_costs_its_provider_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    parameters = {
        "openai/api_key": f"{KEY}\nnext line",
        "anthropic/api_key": KEY,
        "openay/api_key": KEY,
        "groq/api_key": KEY,
        "groq/api_kee": KEY,
        KEY: "no slash",
    }

    assert set(targets_of(parameters, {}, CATALOGUE)) == {"groq"}

    said = [(it.getMessage(), getattr(it, "provider", "")) for it in caplog.records]
    assert said.count(("parameter not understood", "")) == 2
    refused = {name for message, name in said if message == "provider left out"}
    assert refused == {"openai", "anthropic", "openay"}
    shown = [repr(vars(it)) for it in caplog.records if getattr(it, "parameter", "") != KEY]
    assert not any(KEY in it for it in shown)
