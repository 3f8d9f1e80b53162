"""Which providers a deployment can use, from its settings and its environment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bursar.domain.errors import WrongSetting
from bursar.domain.service_accounts import ServiceAccount, parse_credentials
from bursar.domain.upstream import Provider, Target
from bursar.domain.upstream_urls import is_addressed
from bursar.upstream.base_urls import (
    ROLE_SCHEMES,
    Address,
    address_of,
    given_base,
    parameters_of,
)
from bursar.upstream.catalogue import LEFT_OUT
from bursar.upstream.credentials import credentialed, found_key, headers_of, variables_of
from bursar.upstream.mock import MOCK_PROVIDER
from bursar.upstream.own_servers import own_server
from bursar.upstream.provider_settings import ProviderSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_TIMEOUT_S: Final = 600.0
_NOTHING: Final = ProviderSettings()


def resolve_targets(
    configured: Mapping[str, ProviderSettings],
    environ: Mapping[str, str],
    catalogue: Mapping[str, Provider],
    *,
    allows_private: bool = False,
) -> Mapping[str, Target]:
    """Every provider that can be called, by name.

    A provider is there when it is configured, when one of its key variables is set, or, for
    self-hosted servers, when the variable of its base URL is. A name that the catalogue does not
    know is a server of the administrator's own and needs an `api_base`.

    Args:
        allows_private: any of them may stand in a private network.

    Raises:
        WrongSetting: names the setting and the fix; never shows a key.
    """
    targets = {
        name: _configured(name, settings, environ, catalogue)
        for name, settings in configured.items()
    }
    for name, provider in catalogue.items():
        if name not in targets and _in_environment(provider, environ):
            targets[name] = _target(provider, _NOTHING, environ)
    if allows_private:
        return {name: replace(one, allows_private=True) for name, one in targets.items()}
    return targets


def role_providers(
    names: Iterable[str], catalogue: Mapping[str, Provider]
) -> dict[str, ProviderSettings]:
    """Settings of providers that are called with the process's own AWS role.

    Raises:
        WrongSetting: a provider that no AWS role may call.
    """
    possible = {it.name for it in catalogue.values() if it.auth in ROLE_SCHEMES}
    for name in names:
        if name not in possible:
            raise WrongSetting(
                f"BURSAR_ROLE_PROVIDERS: {name} takes no AWS role; those that do are "
                f"{', '.join(sorted(possible))}."
            )
    return dict.fromkeys(names, _NOTHING)


def addressed(
    catalogue: Mapping[str, Provider],
    environ: Mapping[str, str],
    *,
    allows_private: bool = False,
) -> Mapping[str, Target]:
    """The whole catalogue with the addresses that the environment has, and without any key.

    A project brings its own key, so for its requests an address is all that a deployment gives.
    Where there is none, the target's `base_url` is empty.

    Raises:
        WrongSetting: an address that is none; the message names the variable.
    """
    return {
        name: _without_key(provider, environ, allows_private=allows_private)
        for name, provider in catalogue.items()
    }


def _without_key(provider: Provider, environ: Mapping[str, str], *, allows_private: bool) -> Target:
    try:
        parameters = parameters_of(provider, {}, environ)
    except WrongSetting:  # variables that may be there for other programs, such as a region's
        return Target(provider, "")
    base = given_base(provider, _NOTHING, environ)
    # A project's key of Google's brings the project along.
    known = {"project": "its-own", **parameters} if provider.auth == "google" else parameters
    if not is_addressed(provider, base, known):
        return Target(provider, "", parameters=parameters)
    address = address_of(provider, _NOTHING, environ, known)
    return Target(
        replace(provider, endpoints=address.endpoints),
        address.base_url,
        parameters=parameters,
        allows_private=allows_private or provider.is_local or not address.is_own,
    )


def _configured(
    name: str,
    settings: ProviderSettings,
    environ: Mapping[str, str],
    catalogue: Mapping[str, Provider],
) -> Target:
    if name == MOCK_PROVIDER.name:
        return Target(MOCK_PROVIDER, base_url=str(MOCK_PROVIDER.base_url))
    if name in LEFT_OUT:
        raise WrongSetting(
            f"providers.{name}: {name} has no API for language models that the gateway could "
            "speak with; remove it from the settings."
        )
    provider = catalogue.get(name)
    if provider is None:
        return _target(own_server(name, settings, catalogue), settings, environ)
    if settings.dialect or settings.operations or settings.output_limit_field:
        raise WrongSetting(
            f"providers.{name}: dialect, operations and output_limit_field are for servers of your "
            f"own; what {name} serves is known. Give a server that serves something else another "
            "name."
        )
    return _target(provider, settings, environ)


def _in_environment(provider: Provider, environ: Mapping[str, str]) -> bool:
    has_base = bool(provider.env_base and environ.get(provider.env_base))
    if not provider.needs_key and provider.auth == "key":
        return has_base
    if not any(environ.get(variable, "").strip() for variable in variables_of(provider)):
        return False
    parameters = parameters_of(provider, {}, environ)
    if provider.auth == "google":
        parameters = _with_project(parameters, found_key(provider, _NOTHING, environ))
    return has_base or is_addressed(provider, None, parameters)


def _target(provider: Provider, settings: ProviderSettings, environ: Mapping[str, str]) -> Target:
    parameters = parameters_of(provider, settings.parameters, environ)
    provider, key = credentialed(provider, settings, environ, parameters)
    if provider.auth == "google":
        parameters = _with_project(parameters, key)
    address = address_of(provider, settings, environ, parameters)
    return Target(
        provider=_reached(provider, address),
        base_url=address.base_url,
        api_key=key,
        headers=headers_of(provider, settings),
        timeout_s=_timeout_s(provider, settings),
        parameters=parameters,
        allows_private=settings.allow_private_network or provider.is_local or not address.is_own,
    )


def _reached(provider: Provider, address: Address) -> Provider:
    """The catalogue's own row where nothing of it is out of reach."""
    if address.endpoints == provider.endpoints:
        return provider
    return replace(provider, endpoints=address.endpoints)


def _with_project(parameters: Mapping[str, str], key: str | None) -> dict[str, str]:
    """The parameters with a service account's own project, where no other is given."""
    account = parse_credentials(key) if key else None
    project = account.project_id if isinstance(account, ServiceAccount) else None
    return {"project": project, **parameters} if project else dict(parameters)


def _timeout_s(provider: Provider, settings: ProviderSettings) -> float:
    if settings.timeout_s is None:
        return DEFAULT_TIMEOUT_S
    if not 0 < settings.timeout_s < float("inf"):
        raise WrongSetting(
            f"providers.{provider.name}.client_args.timeout: must be a number of seconds above 0."
        )
    return settings.timeout_s
