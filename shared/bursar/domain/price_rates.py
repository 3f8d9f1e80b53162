"""Rates: what a unit of anything billable costs, by tier of input length and by service tier.

A tier applies to the whole request: whoever crosses its threshold pays its rates for every token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


class Unit(StrEnum):
    """What a rate is for. The parts of input and output have a rate only where it differs."""

    INPUT = "input"
    CACHED_INPUT = "cached_input"
    CACHE_WRITE = "cache_write"
    CACHE_WRITE_1H = "cache_write_1h"
    INPUT_AUDIO = "input_audio"
    CACHED_AUDIO = "cached_audio"
    INPUT_IMAGE = "input_image"
    OUTPUT = "output"
    REASONING = "reasoning"
    OUTPUT_AUDIO = "output_audio"
    OUTPUT_IMAGE = "output_image"
    WEB_SEARCH = "web_search"
    IMAGE = "image"
    CHARACTER = "character"
    AUDIO = "audio"
    RERANK_SEARCH = "rerank_search"
    REQUEST = "request"


_MILLION = 1_000_000
UNITS_PER_RATE: Final[Mapping[Unit, int]] = MappingProxyType(
    dict.fromkeys(Unit, _MILLION)
    | {
        Unit.WEB_SEARCH: 1_000,
        Unit.IMAGE: 1,
        Unit.AUDIO: 3_600,
        Unit.RERANK_SEARCH: 1_000,
        Unit.REQUEST: 1_000,
    }
)
"""How many units a rate pays for: a million tokens or characters, an hour of audio in seconds, a
thousand searches or requests, one picture."""

Rates = Mapping[Unit, Decimal]
"""US dollars by unit, each for as many as `UNITS_PER_RATE` says."""

# Where a part of a total has no rate of its own, it costs what the next one does.
_INSTEAD: Final[Mapping[Unit, tuple[Unit, ...]]] = MappingProxyType(
    {
        Unit.CACHED_INPUT: (Unit.INPUT,),
        Unit.CACHE_WRITE: (Unit.INPUT,),
        Unit.CACHE_WRITE_1H: (Unit.CACHE_WRITE, Unit.INPUT),
        Unit.INPUT_AUDIO: (Unit.INPUT,),
        Unit.CACHED_AUDIO: (Unit.INPUT_AUDIO, Unit.CACHED_INPUT, Unit.INPUT),
        Unit.INPUT_IMAGE: (Unit.INPUT,),
        Unit.REASONING: (Unit.OUTPUT,),
        Unit.OUTPUT_AUDIO: (Unit.OUTPUT,),
        Unit.OUTPUT_IMAGE: (Unit.OUTPUT,),
    }
)
# A total that the provider does not split may be the dearest of its parts.
_UNSPLIT: Final[Mapping[Unit, tuple[Unit, ...]]] = MappingProxyType(
    {
        Unit.INPUT: (Unit.INPUT_AUDIO, Unit.INPUT_IMAGE),
        Unit.OUTPUT: (Unit.OUTPUT_AUDIO, Unit.OUTPUT_IMAGE),
    }
)
INPUT_UNITS: Final = frozenset(
    {
        *(Unit.INPUT, Unit.CACHED_INPUT, Unit.CACHE_WRITE, Unit.CACHE_WRITE_1H),
        *(Unit.INPUT_AUDIO, Unit.CACHED_AUDIO, Unit.INPUT_IMAGE),
    }
)
"""What input tokens are charged as."""
OUTPUT_UNITS: Final = frozenset({Unit.OUTPUT, Unit.REASONING, Unit.OUTPUT_AUDIO, Unit.OUTPUT_IMAGE})
"""What output tokens are charged as."""
_NO_RATE = Decimal(0)


def rate_of(rates: Rates, unit: Unit) -> Decimal:
    """A unit's rate, or the one that stands in for it; zero where there is none of them."""
    rate = rates.get(unit)
    if rate is not None:
        return rate
    for candidate in _INSTEAD.get(unit, ()):
        rate = rates.get(candidate)
        if rate is not None:
            return rate
    return max((rates.get(part, _NO_RATE) for part in _UNSPLIT.get(unit, ())), default=_NO_RATE)


def dearest(rates: Rates, units: Iterable[Unit]) -> Decimal:
    """The highest rate of any of the units."""
    return max(rate_of(rates, unit) for unit in units)


@dataclass(frozen=True, slots=True)
class RateTier:
    """Rates of a request whose input is longer than `above_input_tokens`."""

    above_input_tokens: int
    rates: Rates


@dataclass(frozen=True)
class RateTable:
    """Rates with their tiers; what follows from them is found out once.

    Attributes:
        tiers: each names the rates in which it differs from those below it; in any order.
    """

    rates: Rates = field(default_factory=dict)
    tiers: tuple[RateTier, ...] = ()

    def at(self, input_tokens: int) -> Rates:
        """The rates of a request with so much input."""
        if not self.tiers:
            return self.rates
        reached = [tier for tier in self.tiers if input_tokens > tier.above_input_tokens]
        if not reached:
            return self.rates
        rates = dict(self.rates)
        for tier in sorted(reached, key=_threshold):
            rates |= tier.rates
        return rates

    def reachable(self, input_tokens_max: int) -> list[Rates]:
        """The rates of every tier that a request with at most so much input can be in."""
        if not self.tiers:
            return [self.rates]
        lengths = {tier.above_input_tokens + 1 for tier in self.tiers} | {0}
        return [self.at(length) for length in sorted(lengths) if length <= input_tokens_max]

    def overlaid(self, other: RateTable) -> RateTable:
        """This table with what another one says in its place, unit by unit, tiers included."""
        units = other.units
        kept = [
            RateTier(tier.above_input_tokens, _without(tier.rates, units)) for tier in self.tiers
        ]
        tiers = [tier for tier in kept if tier.rates]
        return RateTable({**self.rates, **other.rates}, (*tiers, *other.tiers))

    @cached_property
    def units(self) -> frozenset[Unit]:
        return frozenset(self.rates).union(*(tier.rates for tier in self.tiers))

    @cached_property
    def is_free(self) -> bool:
        every = [self.rates, *(tier.rates for tier in self.tiers)]
        return not any(rate for rates in every for rate in rates.values())


def _threshold(tier: RateTier) -> int:
    return tier.above_input_tokens


def _without(rates: Rates, units: frozenset[Unit]) -> Rates:
    return {unit: rate for unit, rate in rates.items() if unit not in units}
