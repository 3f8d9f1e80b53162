"""The rates that a usage record keeps, because prices change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.domain.price_rates import Unit

if TYPE_CHECKING:
    from bursar.domain.pricing import Charge, Price


def charged_rates(price: Price | None, charge: Charge | None) -> dict[str, Any]:
    """The fields of a usage record that say what was charged; none where there was no price.

    Input and output keep their rates whether or not there was any; the others only if there was.
    """
    if price is None or charge is None:
        return {}
    applied = dict(charge.rates)
    return {
        "input_usd_per_million": applied.pop(Unit.INPUT, price.input_usd_per_million),
        "output_usd_per_million": applied.pop(Unit.OUTPUT, price.output_usd_per_million),
        "rates": tuple((str(unit), rate) for unit, rate in applied.items()),
        "price_version": price.version,
    }
