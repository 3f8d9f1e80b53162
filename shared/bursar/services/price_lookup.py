"""Which price applies to a model.

An administrator's price for that very model, else the administrator's most specific pattern, else
the catalogue's of exactly that provider, else none: nothing borrows another provider's rate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from bursar.domain.models import ModelName, parse_model
from bursar.domain.price_patterns import covers, most_specific_first
from bursar.domain.pricing import Price
from bursar.services.fresh import Fresh
from bursar.services.listing import everything

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bursar.ports import Clock, Directory, PriceCatalogue

# As in gpt-4o-mini-2024-07-18 and claude-sonnet-4-5-20250929.
_RELEASE_DATE = re.compile(r"-20\d\d-?[01]\d-?[0-3]\d$", re.ASCII)
_ALL = "all"


class PriceSource(StrEnum):
    """Whose price it is."""

    OVERRIDE = "override"
    PATTERN = "pattern"
    CATALOGUE = "catalogue"


@dataclass(frozen=True, slots=True)
class FoundPrice:
    """A price that applies, and whose it is."""

    price: Price
    source: PriceSource


class PriceLookup:
    """Finds prices as they are now.

    Args:
        catalogue: None where the deployment takes none.
        age_s: how long patterns may be served from memory.
    """

    def __init__(
        self,
        directory: Directory,
        catalogue: PriceCatalogue | None,
        clock: Clock,
        age_s: float = 0.0,
    ) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._clock = clock
        self._patterns: Fresh[str, tuple[Price, ...]] = Fresh(self._read_patterns, age_s)

    async def price(self, model_key: str) -> Price | None:
        found = await self.find(parse_model(model_key))
        return None if found is None else found.price

    async def find(self, name: ModelName) -> FoundPrice | None:
        """The price of a model, with the limits that only the catalogue knows."""
        found = await self._own(name)
        if found is not None:
            return self._with_limits(found, name)
        return self._catalogued(name) or await self._just_set(name)

    async def find_release(self, name: ModelName) -> FoundPrice | None:
        """The price of a model, or that of the model which it is a dated release of.

        Providers answer with the name of the release, whatever was asked for.
        """
        undated = replace(name, model=_RELEASE_DATE.sub("", name.model))
        found = await self._own(name)
        if undated == name:
            return found or self._catalogued(name)
        return (
            found or await self._own(undated) or self._catalogued(name) or self._catalogued(undated)
        )

    async def _own(self, name: ModelName) -> FoundPrice | None:
        """An administrator's price, which another spelling of the model's name does not evade."""
        now, model_key = self._clock(), str(name)
        for spelling in dict.fromkeys((model_key, model_key.lower())):
            row = await self._directory.prices.get(spelling)
            price = None if row is None else row.at(now)
            if price is not None:
                return FoundPrice(price, PriceSource.OVERRIDE)
        return _covering(await self._patterns.get(_ALL), model_key, now)

    async def _just_set(self, name: ModelName) -> FoundPrice | None:
        """A pattern that an administrator added because a model was refused is there at once."""
        return _covering(await self._patterns.get_again(_ALL), str(name), self._clock())

    def _catalogued(self, name: ModelName) -> FoundPrice | None:
        if self._catalogue is None:
            return None
        price = self._catalogue.price(name, self._clock())
        return None if price is None else FoundPrice(price, PriceSource.CATALOGUE)

    def _with_limits(self, found: FoundPrice, name: ModelName) -> FoundPrice:
        """An administrator's price with what of the model, and not of its rates, is known."""
        price, known = found.price, self._catalogued(name)
        if known is None:
            return found
        limited = replace(
            price,
            context_window_tokens=price.context_window_tokens or known.price.context_window_tokens,
            max_output_tokens=price.max_output_tokens or known.price.max_output_tokens,
            audio_seconds_min=price.audio_seconds_min or known.price.audio_seconds_min,
        )
        return replace(found, price=limited)

    async def _read_patterns(self, _: str) -> tuple[Price, ...]:
        return most_specific_first(
            [price async for price in everything(self._directory.price_patterns)]
        )


def _covering(patterns: Sequence[Price] | None, model_key: str, now: datetime) -> FoundPrice | None:
    for pattern in patterns or ():
        price = pattern.at(now) if covers(pattern.model_key, model_key) else None
        if price is not None:
            return FoundPrice(price, PriceSource.PATTERN)
    return None
