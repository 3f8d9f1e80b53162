"""Service tiers: which of a price's tables a request can be charged by.

Providers name tiers differently. What they call their ordinary service is known here, and so is
what is never dearer than that; any other name may stand for the dearest that a price knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bursar.domain.errors import Unpriceable
from bursar.domain.price_command import how_to_add_tier

if TYPE_CHECKING:
    from bursar.domain.price_rates import RateTable
    from bursar.domain.pricing import Price

BATCH: Final = "batch"
_ORDINARY: Final = frozenset({"", "default", "standard", "standard_only", "on_demand"})
_NEVER_DEARER: Final = _ORDINARY | {"flex", BATCH}
_SURCHARGED: Final = frozenset({"priority", "fast", "ultrafast", "scale", "performance"})


def possible_tables(price: Price, service_tier: str | None) -> list[RateTable]:
    """The tables that a request for a tier can be charged by; a provider may serve it ordinarily.

    Raises:
        Unpriceable: the tier costs more than ordinary service and the price does not say how much.
    """
    name = _normal(service_tier)
    if name in price.service_tiers:
        return [price.table, price.tier_tables[name]]
    if name in _NEVER_DEARER:
        return [price.table]
    if name in _SURCHARGED:
        raise Unpriceable(
            f"Service tier '{name}' of '{price.model_key}' has no rates: leave 'service_tier' out, "
            f"or an administrator sets them by {how_to_add_tier(price.model_key, name)}"
        )
    return _all_tables(price)


def charged_tables(
    price: Price, requested: str | None, served: str | None = None
) -> list[RateTable]:
    """The tables that a request may have been charged by, of which the dearest counts.

    What the provider says that it served counts, as far as the price knows it.
    """
    name = charged_tier(price, requested, served)
    if name is None:
        return [price.table]
    if name in price.service_tiers:
        return [price.tier_tables[name]]
    return _all_tables(price)


def charged_tier(price: Price, requested: str | None, served: str | None = None) -> str | None:
    """The service tier whose rates count; None for ordinary service."""
    for name in (_normal(served), _normal(requested)):
        if name in price.service_tiers:
            return name
        if name and name in _NEVER_DEARER:
            return None
    return _normal(requested) or None


def _all_tables(price: Price) -> list[RateTable]:
    return [price.table, *price.tier_tables.values()]


def _normal(service_tier: str | None) -> str:
    return (service_tier or "").lower()
