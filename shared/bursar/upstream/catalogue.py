"""The providers, as data.

`providers.json` holds one row a provider and only what differs from `Provider`'s defaults; adding
a provider is adding a row. An endpoint of a row says only how it differs from the one that most
providers have for its operation, which is `STANDARD_ENDPOINTS`.

`mzai` names no environment variable for its key: the one that its clients use holds a vault's
private key, which must never travel as a bearer token.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from bursar.domain.upstream import (
    CHAT_ENDPOINT,
    EMBEDDINGS_ENDPOINT,
    Endpoint,
    ModelRule,
    Parameter,
    Provider,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ANTHROPIC_VERSION: Final = {"anthropic-version": "2023-06-01"}
STANDARD_ENDPOINTS: Final[Mapping[str, Endpoint]] = MappingProxyType(
    {
        "chat": CHAT_ENDPOINT,
        "responses": Endpoint("/responses"),
        "messages": Endpoint("/messages", headers=ANTHROPIC_VERSION),
        "count_tokens": Endpoint("/messages/count_tokens", headers=ANTHROPIC_VERSION),
        "converse": Endpoint("/converse"),
        "embeddings": EMBEDDINGS_ENDPOINT,
        "titan_embeddings": Endpoint("/invoke"),
        "cohere_embeddings": Endpoint("/invoke"),
        "nova_embeddings": Endpoint("/invoke"),
        "images": Endpoint("/images/generations"),
        "image_edits": Endpoint("/images/edits"),
        "speech": Endpoint("/audio/speech"),
        "transcriptions": Endpoint("/audio/transcriptions"),
        "translations": Endpoint("/audio/translations"),
        "moderations": Endpoint("/moderations"),
        "rerank": Endpoint("/rerank"),
    }
)
# Agents, decisions and vaults: APIs that answer to no dialect that a gateway could speak.
LEFT_OUT: Final = frozenset({"liner", "platform", "typesafe"})


@cache
def load_catalogue() -> Mapping[str, Provider]:
    """Every provider by name, read once a process."""
    rows = json.loads(Path(__file__).with_name("providers.json").read_bytes())
    return MappingProxyType({row["name"]: _provider(row) for row in rows})


def _provider(row: Mapping[str, Any]) -> Provider:
    fields = dict(row)
    fields["base_url"] = row.get("base_url")
    fields["env_keys"] = tuple(row.get("env_keys", ()))
    fields["former_paths"] = tuple(row.get("former_paths", ()))
    fields["endpoints"] = _endpoints(row.get("endpoints", {"chat": {}}))
    fields["model_rules"] = _rules(row.get("model_rules", ()))
    fields["parameters"] = _parameters(row.get("parameters", {}))
    return Provider(**fields)


def _endpoints(rows: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Endpoint]:
    return MappingProxyType({name: _endpoint(name, row) for name, row in rows.items()})


def _endpoint(operation: str, row: Mapping[str, Any]) -> Endpoint:
    fields = dict(row)
    if "dropped_fields" in row:
        fields["dropped_fields"] = frozenset(row["dropped_fields"])
    return replace(STANDARD_ENDPOINTS[operation], **fields)


def _rules(rows: list[Any]) -> tuple[ModelRule, ...]:
    return tuple(ModelRule(pattern, tuple(operations)) for pattern, operations in rows)


def _parameters(rows: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Parameter]:
    return MappingProxyType(
        {name: Parameter(tuple(row.get("env", ())), row.get("value")) for name, row in rows.items()}
    )
