"""What a provider's parameters say: `<provider>/api_key`, `<provider>/api_base` and the like."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bursar.domain.errors import WrongSetting
from bursar.upstream.provider_settings import PARAMETERS, ProviderSettings
from bursar.upstream.targets import resolve_targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.upstream import Provider, Target

_LOG = logging.getLogger(__name__)
# The settings that a parameter may hold; those of `PARAMETERS` besides.
_FIELDS: Final = ("api_key", "api_base", "messages_base", "dialect", "output_limit_field")
_ALLOWED: Final = "allow_private_network"
# A variable of the environment may complete what is in the parameters, but is no key for it.
_COMPLETING: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")


def targets_of(
    parameters: Mapping[str, str],
    configured: Mapping[str, ProviderSettings],
    catalogue: Mapping[str, Provider],
    environ: Mapping[str, str],
    *,
    allows_private: bool = False,
) -> dict[str, Target]:
    """The providers that have parameters, over what the settings say about the same ones.

    A parameter that cannot be right is said in the log, by name, and costs its provider only: one
    administrator's slip must not stop the others' requests.

    Args:
        parameters: values by their name behind the path.
        environ: where the region is, if no parameter says it.
        allows_private: any provider may stand in a private network.
    """
    targets: dict[str, Target] = {}
    completing = {name: environ[name] for name in _COMPLETING if name in environ}
    for name, fields in _by_provider(parameters).items():
        settings = _settings(configured.get(name, ProviderSettings()), fields)
        try:
            found = resolve_targets(
                {name: settings}, completing, catalogue, allows_private=allows_private
            )
            targets[name] = found[name]
        except WrongSetting as wrong:
            _LOG.error("provider left out", extra={"provider": name, "reason": wrong.message})
    return targets


def _settings(before: ProviderSettings, fields: Mapping[str, str]) -> ProviderSettings:
    """What the parameters say, over what the settings said before."""
    said: dict[str, Any] = {name: fields[name] for name in _FIELDS if name in fields}
    parameters = {**before.parameters}
    parameters.update({name: fields[name] for name in PARAMETERS if name in fields})
    if _ALLOWED in fields:
        said[_ALLOWED] = fields[_ALLOWED].strip().lower() == "true"
    return replace(before, **said, parameters=parameters)


def _by_provider(parameters: Mapping[str, str]) -> Mapping[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, value in parameters.items():
        provider, _, field = name.partition("/")
        if field in (*_FIELDS, _ALLOWED, *PARAMETERS):
            found[provider][field] = value
        else:
            _LOG.warning("parameter not understood", extra={"parameter": name})
    return found
