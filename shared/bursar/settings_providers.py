"""What the configuration file says under `providers`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from bursar.settings_values import (
    check_names,
    flag,
    listed,
    mapping,
    one_of,
    optional,
    parse,
    seconds,
    text,
)
from bursar.upstream.provider_settings import (
    DIALECTS,
    OUTPUT_LIMIT_FIELDS,
    PARAMETERS,
    ProviderSettings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES: Final = (
    "api_key",
    "api_base",
    "messages_base",
    "dialect",
    "operations",
    "output_limit_field",
    "auth_header",
    "auth_prefix",
    "allow_private_network",
    "client_args",
    "client_secret",
    "credentials",
    *PARAMETERS,
)


def read_providers(section: Any) -> dict[str, ProviderSettings]:
    """Read the section, provider by provider.

    Raises:
        WrongSetting: a value is not what its name needs, or a name is none.
    """
    return {
        name: _provider(f"providers.{name}", entry or {})
        for name, entry in mapping("providers", section).items()
    }


def _provider(where: str, given: Any) -> ProviderSettings:
    entry = mapping(where, given)
    check_names(where, entry, _NAMES)
    args = mapping(f"{where}.client_args", entry.get("client_args") or {})
    headers = args.get("custom_headers") or args.get("default_headers") or {}
    headers = mapping(f"{where}.client_args.custom_headers", headers)
    key, parameters = _credentials(where, entry)

    def read(name: str, reader: Any) -> Any:
        return optional(f"{where}.{name}", entry.get(name), reader)

    return ProviderSettings(
        api_key=key,
        api_base=read("api_base", text),
        messages_base=read("messages_base", text),
        headers={str(name).lower(): str(value) for name, value in headers.items()},
        timeout_s=optional(f"{where}.client_args.timeout", args.get("timeout"), seconds),
        dialect=read("dialect", one_of(*DIALECTS)),
        operations=read("operations", listed) or (),
        output_limit_field=read("output_limit_field", one_of(*OUTPUT_LIMIT_FIELDS)),
        auth_header=read("auth_header", text),
        auth_prefix=read("auth_prefix", text),
        parameters=parameters,
        allow_private_network=bool(read("allow_private_network", flag)),
    )


def _credentials(where: str, entry: Mapping[str, Any]) -> tuple[str | None, dict[str, str]]:
    """The key and the parameters.

    `client_secret` is an identity's name for its key. `credentials` are a service account's: its
    key file's content, as text or as YAML, or else that file's path.
    """
    given = {name: entry[name] for name in PARAMETERS if entry.get(name) not in (None, "")}
    parameters = {name: parse((f"{where}.{name}", value), text) for name, value in given.items()}
    key = optional(f"{where}.api_key", entry.get("api_key") or entry.get("client_secret"), text)
    credentials = entry.get("credentials")
    if isinstance(credentials, dict):
        return json.dumps(credentials), parameters
    found = optional(f"{where}.credentials", credentials, text)
    if found is None:
        return key, parameters
    if found.lstrip().startswith("{"):
        return found, parameters
    return key, {**parameters, "credentials_file": found}
