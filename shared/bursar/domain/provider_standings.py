"""How a deployment stands to a provider: whether it can be called, and by whose key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class KeySource(StrEnum):
    """Where a provider's key comes from."""

    SETTINGS = "settings"
    ENVIRONMENT = "environment"
    PARAMETERS = "parameters"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class ProviderStanding:
    """One provider, without any secret.

    Attributes:
        operations: what it serves, as `Provider.endpoints` names it.
        needs_key: it cannot be called without one.
        env_keys: environment variables that may hold its key.
        env_base: the environment variable that overrides its address.
        host: where it is, with a port if that is not the scheme's own; None where that depends on
            what is not given or not known.
        is_configured: whether requests can be sent to it; None where that is not known here.
        has_key: whether there is a key for it; None where that is not known here.
        key_from: None without one, or where it is not known.
        key_name: the setting, variable or parameter that holds it.
    """

    name: str
    operations: tuple[str, ...]
    needs_key: bool
    env_keys: tuple[str, ...] = ()
    env_base: str | None = None
    host: str | None = None
    is_configured: bool | None = None
    has_key: bool | None = None
    key_from: KeySource | None = None
    key_name: str | None = None
