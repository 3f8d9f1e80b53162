"""The page about providers says what the catalogue says."""

from __future__ import annotations

import re

from bursar.settings import load_settings
from bursar.upstream.catalogue import LEFT_OUT, load_catalogue
from bursar.upstream.provider_settings import PARAMETERS
from infra.providers.table import PAGE, table, written

TEXT = PAGE.read_text(encoding="utf-8")


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_its_table_is_the_catalogue() -> None:
    assert written(TEXT) == TEXT, "run python -m infra.providers.table"
    assert len(table().splitlines()) == len(load_catalogue()) + 2


def test_every_provider_with_a_difference_of_its_own_is_explained() -> None:
    explained = set(re.findall(r"`([a-z]+)`", section("What is different")))
    for provider in load_catalogue().values():
        quirks = [
            it
            for it in provider.endpoints.values()
            if it.renamed_fields or it.dropped_fields or it.added_fields
        ]
        if quirks or not provider.streams_usage:
            assert provider.name in explained
    assert explained >= LEFT_OUT


def test_every_setting_that_it_names_is_one() -> None:
    settings = section("Settings")
    documented = {
        name
        for row in re.findall(r"^\| (.*?) \|$", settings, re.MULTILINE)
        for name in re.findall(r"`([a-z_]+)`", row)
    }
    assert set(PARAMETERS) - {"credentials_file", "token_url"} <= documented
    variables = re.findall(r"BURSAR_[A-Z_]+", TEXT)
    assert load_settings({name: "bedrock" for name in variables if "ROLE" in name})
    assert set(variables) == {"BURSAR_ROLE_PROVIDERS", "BURSAR_ALLOW_PRIVATE_UPSTREAMS"}
