"""Tells how a deployment stands to every provider that it knows, and nothing secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bursar.domain.provider_standings import KeySource, ProviderStanding
from bursar.domain.upstream import Endpoint
from bursar.domain.upstream_urls import url_of
from bursar.upstream.base_urls import ROLE_SCHEMES
from bursar.upstream.credentials import CREDENTIALS_FILE, variables_of
from bursar.upstream.provider_settings import ProviderSettings

if TYPE_CHECKING:
    from bursar.domain.upstream import Provider, Target

_NOTHING: Final = ProviderSettings()
_ROOT: Final = Endpoint("")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where keys are looked for.

    Attributes:
        settings: what the configuration file says.
        parameters_path: the path of parameters, where keys may stand there.
    """

    settings: Mapping[str, ProviderSettings]
    environ: Mapping[str, str] = field(repr=False)
    parameters_path: str | None = None


def unknown_standings(catalogue: Mapping[str, Provider]) -> list[ProviderStanding]:
    """All providers of the catalogue, where another process knows which of them can be called."""
    return [_described(provider, provider.base_url) for _, provider in sorted(catalogue.items())]


def standings_of(
    catalogue: Mapping[str, Provider],
    targets: Mapping[str, Target],
    by_parameters: Mapping[str, Target],
    sources: Sources,
) -> list[ProviderStanding]:
    """All providers, of the catalogue and beyond, in the order of their names.

    Args:
        targets: what settings and environment make callable.
        by_parameters: what parameters do, in place of those.
    """
    names = sorted({*catalogue, *targets, *by_parameters})
    return [_standing(name, catalogue, targets, by_parameters, sources) for name in names]


def _standing(
    name: str,
    catalogue: Mapping[str, Provider],
    targets: Mapping[str, Target],
    by_parameters: Mapping[str, Target],
    sources: Sources,
) -> ProviderStanding:
    target = by_parameters.get(name) or targets.get(name)
    if target is None:
        known = _described(catalogue[name], catalogue[name].base_url)
        return replace(known, is_configured=False, has_key=False)
    has_key = target.api_key is not None or bool(target.parameters.get(CREDENTIALS_FILE))
    source, key_name = None, None
    if has_key and name in by_parameters:
        source = KeySource.PARAMETERS
        key_name = f"{sources.parameters_path}/{name}/api_key"
    elif has_key:
        settings = sources.settings.get(name, _NOTHING)
        source, key_name = _found_key(target.provider, settings, sources.environ)
    elif target.provider.auth in ROLE_SCHEMES:
        source = KeySource.ROLE
    return replace(
        _described(target.provider, url_of(target, _ROOT, "", is_streamed=False)),
        is_configured=True,
        has_key=has_key,
        key_from=source,
        key_name=key_name,
    )


def _found_key(
    provider: Provider, settings: ProviderSettings, environ: Mapping[str, str]
) -> tuple[KeySource, str | None]:
    """Where a key that is there comes from, in the order in which it was looked for."""
    where = f"providers.{provider.name}"
    if settings.api_key:
        return KeySource.SETTINGS, f"{where}.api_key"
    if CREDENTIALS_FILE in settings.parameters:
        return KeySource.SETTINGS, f"{where}.{CREDENTIALS_FILE}"
    named = next((name for name in variables_of(provider) if environ.get(name, "").strip()), None)
    return KeySource.ENVIRONMENT, named


def _described(provider: Provider, base_url: str | None) -> ProviderStanding:
    return ProviderStanding(
        name=provider.name,
        operations=tuple(provider.endpoints),
        needs_key=provider.needs_key,
        env_keys=provider.env_keys,
        env_base=provider.env_base,
        host=_host(base_url),
    )


def _host(base_url: str | None) -> str | None:
    """The address's host and port; a URL may hold credentials, which stay here."""
    if not base_url or "{" in base_url.partition("://")[2].partition("/")[0]:
        return None
    return urlsplit(base_url).netloc.rpartition("@")[2] or None
