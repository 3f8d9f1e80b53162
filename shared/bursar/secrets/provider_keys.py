"""What a provider's parameters say: `<provider>/api_key` and `<provider>/api_base`."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bursar.domain.errors import WrongSetting
from bursar.upstream.targets import ProviderSettings, resolve_targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.upstream import Provider, Target

_LOG = logging.getLogger(__name__)
_KEY: Final = "api_key"
_BASE: Final = "api_base"


def targets_of(
    parameters: Mapping[str, str],
    configured: Mapping[str, ProviderSettings],
    catalogue: Mapping[str, Provider],
) -> dict[str, Target]:
    """The providers that have parameters, over what the settings say about the same ones.

    A parameter that cannot be right is said in the log, by name, and costs its provider only: one
    administrator's slip must not stop the others' requests.

    Args:
        parameters: values by their name behind the path.
    """
    targets: dict[str, Target] = {}
    for name, fields in _by_provider(parameters).items():
        before = configured.get(name, ProviderSettings())
        settings = replace(
            before,
            api_key=fields.get(_KEY, before.api_key),
            api_base=fields.get(_BASE, before.api_base),
        )
        try:
            targets |= resolve_targets({name: settings}, {}, catalogue)
        except WrongSetting as wrong:
            _LOG.error("provider left out", extra={"provider": name, "reason": wrong.message})
    return targets


def _by_provider(parameters: Mapping[str, str]) -> Mapping[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, value in parameters.items():
        provider, _, field = name.partition("/")
        if field in (_KEY, _BASE):
            found[provider][field] = value
        else:
            _LOG.warning("parameter not understood", extra={"parameter": name})
    return found
