"""Which providers a deployment can use, from its settings and its environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from bursar.domain.errors import WrongSetting
from bursar.domain.upstream import Provider, Target
from bursar.upstream.mock import MOCK_PROVIDER

DEFAULT_TIMEOUT_S = 600.0
# Providers of the any-llm family whose API is not OpenAI's, or not quite.
OTHER_DIALECTS = frozenset(
    {
        "anthropic",
        "azureanthropic",
        "bedrock",
        "liner",
        "mistral",
        "platform",
        "sagemaker",
        "typesafe",
        "vertexai",
        "vertexaianthropic",
        "voyage",
        "watsonx",
    }
)
_PROVIDER_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?|")
_KEY = re.compile(r"[\x21-\x7e]+")
_HOP_HEADERS = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "transfer-encoding"}
)


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What an administrator wrote under `providers.<name>`.

    Attributes:
        api_key: None takes it from the provider's environment variables.
        api_base: None takes it from the provider's environment variable or the catalogue.
        headers: `client_args.custom_headers` or `.default_headers`.
        timeout_s: `client_args.timeout`, the longest wait for a next byte.
    """

    api_key: str | None = field(default=None, repr=False)
    api_base: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float | None = None


def resolve_targets(
    configured: Mapping[str, ProviderSettings],
    environ: Mapping[str, str],
    catalogue: Mapping[str, Provider],
) -> Mapping[str, Target]:
    """Every provider that can be called, by name.

    A provider is there when it is configured, when one of its key variables is set, or, for
    self-hosted servers, when the variable of its base URL is. A name that the catalogue does not
    know is a server of the administrator's own and needs an `api_base`. Plain `http` is allowed,
    because such servers often stand in a private network without TLS.

    Raises:
        WrongSetting: names the setting and the fix; never shows a key.
    """
    targets = {
        name: _configured(name, settings, environ, catalogue)
        for name, settings in configured.items()
    }
    for name, provider in catalogue.items():
        if name not in targets and _in_environment(provider, environ):
            targets[name] = _target(provider, ProviderSettings(), environ)
    return targets


def addressed(
    catalogue: Mapping[str, Provider], environ: Mapping[str, str]
) -> Mapping[str, Provider]:
    """The catalogue with the addresses that the environment has, whether or not with keys.

    A project brings its own key, so for its requests an address is all that a deployment gives.

    Raises:
        WrongSetting: no address; the message names the variable.
    """
    return {
        name: replace(provider, base_url=_checked_base(base, str(provider.env_base), provider))
        if (base := environ.get(provider.env_base or ""))
        else provider
        for name, provider in catalogue.items()
    }


def _configured(
    name: str,
    settings: ProviderSettings,
    environ: Mapping[str, str],
    catalogue: Mapping[str, Provider],
) -> Target:
    if name == MOCK_PROVIDER.name:
        return Target(MOCK_PROVIDER, base_url=str(MOCK_PROVIDER.base_url))
    if name in OTHER_DIALECTS:
        raise WrongSetting(
            f"providers.{name}: this version does not serve {name}, whose API is not "
            "OpenAI's; remove it from the settings."
        )
    provider = catalogue.get(name)
    if provider is None:
        provider = _own_server(name, settings, catalogue)
    return _target(provider, settings, environ)


def _own_server(
    name: str, settings: ProviderSettings, catalogue: Mapping[str, Provider]
) -> Provider:
    from difflib import get_close_matches  # noqa: PLC0415 - only an error needs it

    if not settings.api_base:
        near = get_close_matches(name, catalogue, n=3)
        meant = f"; did you mean {' or '.join(near)}?" if near else "."
        raise WrongSetting(
            f"providers.{name}: no such provider{meant} For an OpenAI-compatible server of your "
            f"own, set providers.{name}.api_base."
        )
    if not _PROVIDER_NAME.fullmatch(name):
        raise WrongSetting(
            f"providers.{name}: a provider's name is made of a-z, 0-9, '-', '_' and '.'."
        )
    return Provider(
        name=name,
        base_url=None,
        needs_key=False,
        endpoints=frozenset({"chat", "embeddings"}),
    )


def _in_environment(provider: Provider, environ: Mapping[str, str]) -> bool:
    has_base = bool(provider.env_base and environ.get(provider.env_base))
    if not provider.needs_key:
        return has_base
    has_key = any(environ.get(variable, "").strip() for variable in provider.env_keys)
    return has_key and (has_base or provider.base_url is not None)


def _target(provider: Provider, settings: ProviderSettings, environ: Mapping[str, str]) -> Target:
    return Target(
        provider=provider,
        base_url=_base_url(provider, settings, environ),
        api_key=_api_key(provider, settings, environ),
        headers=_headers(provider, settings),
        timeout_s=_timeout_s(provider, settings),
    )


def _base_url(provider: Provider, settings: ProviderSettings, environ: Mapping[str, str]) -> str:
    if settings.api_base:
        return _checked_base(settings.api_base, f"providers.{provider.name}.api_base", provider)
    if provider.env_base and (from_environment := environ.get(provider.env_base)):
        return _checked_base(from_environment, provider.env_base, provider)
    if provider.base_url is not None:
        return provider.base_url
    example = f", such as https://your-host{provider.host_path}"
    raise WrongSetting(
        f"providers.{provider.name}.api_base: {provider.name} has no common address; set its "
        f"base URL there or in {provider.env_base}{example}."
    )


def _checked_base(given: str, setting: str, provider: Provider) -> str:
    base = given.strip().rstrip("/")
    if "://" not in base and not provider.needs_key:
        base = f"http://{base}"  # OLLAMA_HOST and its like are often a host and a port
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongSetting(f"{setting}: must be a URL that begins with https:// or http://.")
    if parts.username is not None or parts.query or parts.fragment:
        raise WrongSetting(
            f"{setting}: must hold no credentials, '?' or '#'; use api_key and "
            "client_args.custom_headers."
        )
    if "{" in base:
        raise WrongSetting(f"{setting}: still holds a placeholder in braces; fill it in.")
    return base if parts.path else base + provider.host_path


def _api_key(
    provider: Provider, settings: ProviderSettings, environ: Mapping[str, str]
) -> str | None:
    found = [(f"providers.{provider.name}.api_key", settings.api_key or "")]
    found += [(variable, environ.get(variable, "")) for variable in provider.env_keys]
    for setting, value in found:
        key = value.strip()
        if key and not _KEY.fullmatch(key):
            raise WrongSetting(f"{setting}: holds characters that no HTTP header may hold.")
        if key:
            return key
    if provider.needs_key:
        variables = " or ".join(provider.env_keys)
        other = f" or set {variables}" if variables else ""
        raise WrongSetting(
            f"providers.{provider.name}.api_key: {provider.name} needs a key; give it{other}."
        )
    return None


def _headers(provider: Provider, settings: ProviderSettings) -> Mapping[str, str]:
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


def _timeout_s(provider: Provider, settings: ProviderSettings) -> float:
    if settings.timeout_s is None:
        return DEFAULT_TIMEOUT_S
    if not 0 < settings.timeout_s < float("inf"):
        raise WrongSetting(
            f"providers.{provider.name}.client_args.timeout: must be a number of seconds above 0."
        )
    return settings.timeout_s
