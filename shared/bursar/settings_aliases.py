"""The configuration file's aliases, which the table gets where it has none of the same name."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any, Final

from bursar.domain.aliases import RETRIES_MAX, AliasTarget, Strategy, TierDown
from bursar.domain.errors import WrongSetting
from bursar.settings_values import (
    at_most,
    check_names,
    count,
    mapping,
    one_of,
    optional,
    parse,
    text,
)

_FIELDS: Final = ("targets", "strategy", "tier_down", "retries")
_TARGET_FIELDS: Final = ("model", "weight")
_TIER_DOWN_FIELDS: Final = ("below_share", "model")


@dataclass(frozen=True, slots=True)
class ConfiguredAlias:
    """What the file says of an alias; the fields are those of `Alias`."""

    name: str
    targets: tuple[AliasTarget, ...]
    strategy: Strategy = Strategy.ORDERED
    tier_down: TierDown | None = None
    retries: int = 1


def read_aliases(section: Any) -> tuple[ConfiguredAlias, ...]:
    """Read the section `aliases`: by name, a list of models, or a mapping with `targets`.

    Raises:
        WrongSetting: something in it is not what it must be.
    """
    found = mapping("aliases", section)
    return tuple(_alias(str(name), f"aliases.{name}", value) for name, value in found.items())


def _alias(name: str, where: str, value: Any) -> ConfiguredAlias:
    row = {"targets": value} if isinstance(value, str | list) else mapping(where, value)
    check_names(where, row, _FIELDS)
    strategy = optional(f"{where}.strategy", row.get("strategy"), one_of(*Strategy))
    retries = optional(f"{where}.retries", row.get("retries"), at_most(RETRIES_MAX))
    return ConfiguredAlias(
        name,
        _targets(f"{where}.targets", row.get("targets")),
        Strategy(strategy or Strategy.ORDERED),
        _tier_down(f"{where}.tier_down", row.get("tier_down")),
        1 if retries is None else retries,
    )


def _targets(where: str, value: Any) -> tuple[AliasTarget, ...]:
    listed = value if isinstance(value, list) else [value]
    if not value or not listed:
        raise WrongSetting(f"{where} must list at least one model, as in 'openai:gpt-4o-mini'")
    return tuple(_target(f"{where}[{index}]", each) for index, each in enumerate(listed))


def _target(where: str, value: Any) -> AliasTarget:
    if isinstance(value, str):
        return AliasTarget(value)
    row = mapping(where, value)
    check_names(where, row, _TARGET_FIELDS)
    weight = optional(f"{where}.weight", row.get("weight"), count)
    return AliasTarget(parse((f"{where}.model", row.get("model")), text), weight or 1)


def _tier_down(where: str, value: Any) -> TierDown | None:
    if value is None:
        return None
    row = mapping(where, value)
    check_names(where, row, _TIER_DOWN_FIELDS)
    share = parse((f"{where}.below_share", row.get("below_share")), _share)
    return TierDown(share, parse((f"{where}.model", row.get("model")), text))


def _share(value: Any) -> Decimal:
    try:
        share = Decimal(str(value))
    except DecimalException:
        share = Decimal(0)
    if not share.is_finite() or not 0 < share < 1:
        raise ValueError(f"must be above 0 and below 1; it is {value!r}")
    return share
