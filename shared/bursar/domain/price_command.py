"""The command by which an administrator sets a price for want of which a request was refused."""

from __future__ import annotations

import shlex
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bursar.domain.price_rates import UNITS_PER_RATE, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPTIONS: Final[Mapping[Unit, str]] = MappingProxyType(
    {Unit.INPUT: "--in USD", Unit.OUTPUT: "--out USD"}
)
_PAYS_FOR: Final[Mapping[int, str]] = MappingProxyType(
    {1: "one", 1_000: "a thousand", 3_600: "an hour", 1_000_000: "a million"}
)
# What a request is most often billed by where not in tokens.
_BILLED_BY: Final[Mapping[str, Unit]] = MappingProxyType(
    {
        "/v1/images/generations": Unit.IMAGE,
        "/v1/images/edits": Unit.IMAGE,
        "/v1/audio/speech": Unit.CHARACTER,
        "/v1/audio/transcriptions": Unit.AUDIO,
        "/v1/audio/translations": Unit.AUDIO,
        "/v1/rerank": Unit.RERANK_SEARCH,
    }
)


def how_to_price(model_key: str, endpoint: str) -> str:
    """How a model that has no price gets one, for requests of an endpoint."""
    unit = _BILLED_BY.get(endpoint)
    if unit is None:
        return f"{_command(model_key)}, in dollars a million tokens; or at /v1/pricing"
    return (
        f"{_command(model_key, unit)}, in dollars for {_PAYS_FOR[UNITS_PER_RATE[unit]]}, "
        "and 0 for what is not billed; or at /v1/pricing"
    )


def how_to_add(model_key: str, unit: Unit) -> str:
    """How a price gets a rate that it lacks: all of it is stated anew."""
    shown = f"bursar prices effective {shlex.quote(model_key)}"
    return (
        f"{_command(model_key, unit)}, in dollars for {_PAYS_FOR[UNITS_PER_RATE[unit]]} and with "
        f"the rates that it has ({shown}); or at /v1/pricing"
    )


def how_to_add_tier(model_key: str, name: str) -> str:
    """How a price gets the rates of a service tier that it lacks: all of it is stated anew."""
    shown = f"bursar prices effective {shlex.quote(model_key)}"
    return (
        f"{_command(model_key)} --service-tier {name}:input=USD,output=USD, with the rates that it "
        f"has ({shown}); or at /v1/pricing"
    )


def _command(model_key: str, unit: Unit = Unit.INPUT) -> str:
    more = "" if unit in _OPTIONS else f" --rate {unit}=USD"
    return f"bursar prices set {shlex.quote(model_key)} {' '.join(_OPTIONS.values())}{more}"
