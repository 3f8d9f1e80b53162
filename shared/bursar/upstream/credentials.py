"""The key of a provider, and what else an administrator lets it be sent with."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bursar.domain.errors import WrongSetting
from bursar.domain.service_accounts import parse_credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.upstream import Provider
    from bursar.upstream.provider_settings import ProviderSettings

_HEADER_NAME: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?|")
_KEY: Final = re.compile(r"[\x21-\x7e]+")
_PREFIX: Final = re.compile(r"[\x20-\x7e]*")
_HOP_HEADERS: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# The parameters that name an identity, and the variable of its secret.
_IDENTITIES: Final = {"azure": (("tenant_id", "client_id"), "AZURE_CLIENT_SECRET")}
CREDENTIALS_FILE: Final = "credentials_file"


def credentialed(
    provider: Provider,
    settings: ProviderSettings,
    environ: Mapping[str, str],
    parameters: Mapping[str, str],
) -> tuple[Provider, str | None]:
    """The provider as it is authorized here, and its key.

    Raises:
        WrongSetting: a key that is needed is missing, or one that is there cannot be right.
    """
    provider = _with_header(provider, settings)
    if provider.identity_auth is not None:
        secret = _identity_secret(provider, settings, environ, parameters)
        if secret is not None:
            return replace(provider, auth=provider.identity_auth), secret
    key = found_key(provider, settings, environ)
    if key is None and provider.needs_key and not parameters.get(CREDENTIALS_FILE):
        raise WrongSetting(_no_key(provider))
    return provider, key


def found_key(
    provider: Provider, settings: ProviderSettings, environ: Mapping[str, str]
) -> str | None:
    """The key, from the settings or else the first variable that holds one.

    Raises:
        WrongSetting: it cannot be one; the message never shows it.
    """
    found = [(f"providers.{provider.name}.api_key", settings.api_key or "")]
    found += [(variable, environ.get(variable, "")) for variable in provider.env_keys]
    for setting, value in found:
        if key := value.strip():
            _check_key(provider, setting, key)
            return key
    return None


def variables_of(provider: Provider) -> tuple[str, ...]:
    """The variables that may hold what a provider, as it is authorized here, is called with."""
    if provider.auth == provider.identity_auth:
        return (_IDENTITIES[provider.auth][1],)
    file = provider.parameters.get(CREDENTIALS_FILE)
    return provider.env_keys if file is None else (*provider.env_keys, *file.env)


def headers_of(provider: Provider, settings: ProviderSettings) -> Mapping[str, str]:
    """The headers that an administrator adds.

    Raises:
        WrongSetting: one is none, or the gateway's own.
    """
    setting = f"providers.{provider.name}.client_args.custom_headers"
    headers = {name.lower(): value for name, value in settings.headers.items()}
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise WrongSetting(f"{setting}: {name!r} is no name of an HTTP header.")
        if name in _HOP_HEADERS:
            raise WrongSetting(f"{setting}: {name} is set by the gateway; remove it.")
        if not _HEADER_VALUE.fullmatch(value):
            raise WrongSetting(f"{setting}: the value of {name} cannot stand in an HTTP header.")
    return headers


def _check_key(provider: Provider, setting: str, key: str) -> None:
    if provider.auth == "google":
        try:
            parse_credentials(key)
        except ValueError as fault:
            raise WrongSetting(f"{setting}: {fault}.") from None
    elif not _KEY.fullmatch(key):
        raise WrongSetting(f"{setting}: holds characters that no HTTP header may hold.")


def _identity_secret(
    provider: Provider,
    settings: ProviderSettings,
    environ: Mapping[str, str],
    parameters: Mapping[str, str],
) -> str | None:
    """An identity's secret, where the settings name one or nothing else would do."""
    names, variable = _IDENTITIES[str(provider.identity_auth)]
    is_named = any(name in settings.parameters for name in names)
    if not is_named and found_key(provider, settings, environ) is not None:
        return None
    secret = ((settings.api_key if is_named else "") or environ.get(variable, "")).strip()
    missing = [name for name in names if not parameters.get(name)]
    if is_named and (missing or not secret):
        raise WrongSetting(
            f"providers.{provider.name}: an identity needs {', '.join(names)} and its secret as "
            f"api_key or in {variable}."
        )
    return None if missing else secret or None


def _with_header(provider: Provider, settings: ProviderSettings) -> Provider:
    """The provider with the header that the settings name."""
    if settings.auth_header is None and settings.auth_prefix is None:
        return provider
    where = f"providers.{provider.name}"
    header = (settings.auth_header or provider.auth_header).lower()
    # A header that is named without a prefix carries the bare key, whatever the provider's own.
    prefix = settings.auth_prefix or ""
    if not _HEADER_NAME.fullmatch(header) or header in _HOP_HEADERS:
        raise WrongSetting(f"{where}.auth_header: {header!r} is no header that can carry a key.")
    if not _PREFIX.fullmatch(prefix):
        raise WrongSetting(f"{where}.auth_prefix: cannot stand in an HTTP header.")
    endpoints = {
        operation: replace(endpoint, auth_header=None, auth_prefix=None)
        for operation, endpoint in provider.endpoints.items()
    }
    return replace(provider, auth_header=header, auth_prefix=prefix, endpoints=endpoints)


def _no_key(provider: Provider) -> str:
    variables = " or ".join(provider.env_keys)
    other = f" or set {variables}" if variables else ""
    return f"providers.{provider.name}.api_key: {provider.name} needs a key; give it{other}."
