"""Where this deployment finds a provider, and at which addresses it serves what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from bursar.domain.errors import WrongSetting
from bursar.domain.upstream import Endpoint
from bursar.domain.upstream_urls import missing_parameters
from bursar.upstream.own_servers import MESSAGES_ENDPOINTS

if TYPE_CHECKING:
    from bursar.domain.upstream import Parameter, Provider
    from bursar.upstream.provider_settings import ProviderSettings

_VALUE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_VERSION: Final = "/v1"
# RFC 3986's characters but the ones that this page refuses for other reasons.
_URL: Final = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
# A host name as it is sent: in the form xn--... where it has other letters. Or an address.
_HOST: Final = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?|[0-9A-Fa-f:.]+")
_HOST_CHARS_MAX: Final = 253
# Any provider's token endpoint may be another one.
_EXCHANGED_AT: Final = "token_url"
# A path, which stands in no address.
_FREE: Final = "credentials_file"
# What is signed with an AWS role names a region, also where an address does not.
ROLE_SCHEMES: Final = frozenset({"aws", "sagemaker"})


@dataclass(frozen=True, slots=True)
class Address:
    """A provider's address here.

    Attributes:
        base_url: with no slash at the end; may hold parameters in braces.
        endpoints: those that can be reached with what is known.
        is_own: the administrator chose it, not the catalogue.
    """

    base_url: str
    endpoints: Mapping[str, Endpoint]
    is_own: bool


def address_of(
    provider: Provider,
    settings: ProviderSettings,
    environ: Mapping[str, str],
    parameters: Mapping[str, str],
) -> Address:
    """Find a provider's address: the settings', the environment's or the catalogue's.

    An endpoint with a base of its own belongs to the catalogue's address. Where the administrator
    gave another, it is left out, because a key for the one must not travel to the other.

    Raises:
        WrongSetting: none is known, it is no URL, or a parameter of it is missing.
    """
    given = given_base(provider, settings, environ)
    base = given or provider.base_url
    if base is None:
        raise WrongSetting(_no_base(provider))
    _check_complete(provider, base, parameters)
    endpoints = {
        operation: endpoint
        for operation, endpoint in provider.endpoints.items()
        if endpoint.base_url is None
        or (given is None and not missing_parameters(endpoint.base_url, parameters))
    }
    if settings.messages_base:
        endpoints |= _messages(provider, settings.messages_base)
    return Address(base, endpoints, is_own=bool(given or settings.messages_base))


def given_base(
    provider: Provider, settings: ProviderSettings, environ: Mapping[str, str]
) -> str | None:
    """The base URL that the administrator gave, if any.

    Raises:
        WrongSetting: it is no base URL.
    """
    if settings.api_base:
        return checked_base(settings.api_base, f"providers.{provider.name}.api_base", provider)
    if provider.env_base and (from_environment := environ.get(provider.env_base)):
        return checked_base(from_environment, provider.env_base, provider)
    return None


def checked_base(given: str, setting: str, provider: Provider) -> str:
    """A base URL in the form that paths are appended to.

    Raises:
        WrongSetting: not such a URL; the message names the setting.
    """
    base = given.strip().rstrip("/")
    if "://" not in base and not provider.needs_key:
        base = f"http://{base}"  # OLLAMA_HOST and its like are often a host and a port
    if "{" in base:
        raise WrongSetting(f"{setting}: still holds a placeholder in braces; fill it in.")
    path = _checked_parts(base, setting).path
    if path in ("", *provider.former_paths):
        return base.removesuffix(path) + provider.host_path
    # Anthropic's SDKs take a base without the version that its paths begin with; others write it.
    paths = [endpoint.path for endpoint in provider.endpoints.values()]
    return base.removesuffix(_VERSION) if all(map(_begins_with_version, paths)) else base


def _checked_parts(url: str, setting: str) -> SplitResult:
    """A URL's parts, if a request can be sent there and it holds nothing that is secret."""
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as a port beyond all ports
        is_url = False
    if not is_url:
        raise WrongSetting(f"{setting}: must be a URL that begins with https:// or http://.")
    if parts.username is not None or parts.query or parts.fragment:
        raise WrongSetting(
            f"{setting}: must hold no credentials, '?' or '#'; use api_key and "
            "client_args.custom_headers."
        )
    host = str(parts.hostname)
    if not _URL.fullmatch(url) or not _HOST.fullmatch(host) or len(host) > _HOST_CHARS_MAX:
        raise WrongSetting(
            f"{setting}: holds characters that no URL may hold, or a host that is none; a name "
            "with other letters is written as xn--..., and other characters of a path as %xx."
        )
    return parts


def _begins_with_version(path: str) -> bool:
    return path.startswith(f"{_VERSION}/")


def parameters_of(
    provider: Provider, given: Mapping[str, str], environ: Mapping[str, str]
) -> dict[str, str]:
    """Values of a provider's parameters: the settings', the environment's or the catalogue's.

    Raises:
        WrongSetting: a value cannot stand in an address, or an address is none.
    """
    found: dict[str, str] = {}
    if exchanged_at := given.get(_EXCHANGED_AT, "").strip():
        _checked_parts(exchanged_at, f"providers.{provider.name}.{_EXCHANGED_AT}")
        found[_EXCHANGED_AT] = exchanged_at
    for name, parameter in provider.parameters.items():
        where, value = _found(provider, name, parameter, given, environ)
        if value and name != _FREE and not _VALUE.fullmatch(value):
            raise WrongSetting(f"{where}: is not made of letters, digits, '-', '_', '.' and ':'.")
        if value:
            found[name] = value
    return found


def _found(
    provider: Provider,
    name: str,
    parameter: Parameter,
    given: Mapping[str, str],
    environ: Mapping[str, str],
) -> tuple[str, str]:
    if given.get(name):
        return f"providers.{provider.name}.{name}", given[name]
    for variable in parameter.env:
        if environ.get(variable):
            return variable, environ[variable]
    return name, parameter.value or ""


def _check_complete(provider: Provider, base: str, parameters: Mapping[str, str]) -> None:
    missing = missing_parameters(base, parameters)
    if not missing and provider.auth in ROLE_SCHEMES and not parameters.get("region"):
        missing = ("region",)
    if not missing:
        return
    variables = [it for name in missing for it in provider.parameters[name].env[:1]]
    others = [*variables, *([provider.env_base] if provider.env_base else [])]
    raise WrongSetting(
        f"providers.{provider.name}.{missing[0]}: {provider.name} needs its "
        f"{' and its '.join(missing)}; set it there, or set {' or '.join(others)}."
    )


def _messages(provider: Provider, given: str) -> Mapping[str, Endpoint]:
    setting = f"providers.{provider.name}.messages_base"
    base = checked_base(
        given,
        setting,
        replace(provider, host_path="", former_paths=(), endpoints=MESSAGES_ENDPOINTS),
    )
    before = provider.endpoints.get("messages")
    served = {"messages", *({"count_tokens"} & set(provider.endpoints))}
    return {
        operation: replace(
            endpoint,
            base_url=base,
            auth_header=before.auth_header if before else None,
            auth_prefix=before.auth_prefix if before else None,
        )
        for operation, endpoint in MESSAGES_ENDPOINTS.items()
        if operation in served
    }


def _no_base(provider: Provider) -> str:
    example = f", such as https://your-host{provider.host_path}"
    return (
        f"providers.{provider.name}.api_base: {provider.name} has no common address; set its "
        f"base URL there or in {provider.env_base}{example}."
    )
