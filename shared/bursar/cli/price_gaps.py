"""Where a price of one's own charges less than the public one because it leaves a rate out.

What a price has no rate for is charged at another of its rates: input that a provider's cache
writes as other input, and long input as short. A rate without any other in its place is not looked
at, for requests that need it are refused.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bursar.domain.price_rates import Unit, rate_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMED: Final = {
    Unit.INPUT: "input_price_per_million",
    Unit.OUTPUT: "output_price_per_million",
    Unit.CACHED_INPUT: "cached_input_price_per_million",
}


def gaps(own: Mapping[str, Any], public: Mapping[str, Any]) -> Iterator[str]:
    """One line for each rate that is left out, with the option that states it.

    Args:
        own: a price as the API has it; so is `public`.
    """
    ours, theirs = _rates(own), _rates(public)
    for unit, rate in theirs.items():
        instead = rate_of(ours, unit)
        if unit not in ours and 0 < instead < rate:
            yield (
                f"{unit} is charged ${instead:f}, the public price is ${rate:f}: "
                f"--rate {unit}={rate:f}"
            )
    if not own.get("tiers"):
        yield from map(_tier, public.get("tiers") or ())


def _tier(tier: Mapping[str, Any]) -> str:
    start = tier["above_input_tokens"]
    rates = ",".join(f"{unit}={Decimal(rate):f}" for unit, rate in tier["rates"].items())
    return (
        f"more input than {start} tokens is charged as less is, the public price has other rates "
        f"for it: --tier {start}:{rates}"
    )


def _rates(price: Mapping[str, Any]) -> dict[Unit, Decimal]:
    stated = {unit: price.get(field) for unit, field in _NAMED.items()}
    stated |= {Unit(unit): rate for unit, rate in (price.get("rates") or {}).items()}
    return {unit: Decimal(rate) for unit, rate in stated.items() if rate is not None}
