"""The providers that speak OpenAI's API, as data.

`providers.json` holds one row a provider and only what differs from `Provider`'s defaults; adding
a provider is adding a line. `mzai` names no environment variable for its key: the one that its
clients use holds a vault's private key, which must never travel as a bearer token.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bursar.domain.upstream import Provider

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def load_catalogue() -> Mapping[str, Provider]:
    """Every provider by name, read once a process."""
    rows = json.loads(Path(__file__).with_name("providers.json").read_bytes())
    return MappingProxyType({row["name"]: _provider(row) for row in rows})


def _provider(row: Mapping[str, Any]) -> Provider:
    fields = dict(row)
    fields["base_url"] = row.get("base_url")
    fields["env_keys"] = tuple(row.get("env_keys", ()))
    fields["endpoints"] = frozenset(row.get("endpoints", ("chat",)))
    return Provider(**fields)
