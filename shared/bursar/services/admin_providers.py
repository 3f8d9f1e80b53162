"""Which providers a deployment can call, and what their models cost there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bursar.domain.errors import NotFound
from bursar.domain.models import ModelName, parse_model
from bursar.domain.provider_standings import ProviderStanding
from bursar.ports import Clock, Directory, PriceCatalogue
from bursar.services.admin_prices import EffectivePrice
from bursar.services.listing import everything
from bursar.services.price_lookup import PriceLookup

Standings = Callable[[], Awaitable[Sequence[ProviderStanding]]]
"""Reads how the deployment stands to its providers, in the order of their names."""


async def none_known() -> Sequence[ProviderStanding]:
    """Of a deployment that was not told of any."""
    return ()


_PATTERNS_AGE_S: Final = 10.0
_AT_ONCE: Final = 25


@dataclass(frozen=True, slots=True)
class ProviderReports:
    """Reads about providers; nothing of them is changed here."""

    standings: Standings
    directory: Directory
    clock: Clock
    catalogue: PriceCatalogue | None = None

    async def all(self) -> Sequence[ProviderStanding]:
        """Every provider that is known, callable or not.

        Raises:
            StoreUnavailable: the parameters that hold their keys cannot be read.
        """
        return await self.standings()

    async def get(self, name: str) -> ProviderStanding:
        """One provider.

        Raises:
            NotFound: the deployment knows none of that name.
        """
        for standing in await self.standings():
            if standing.name == name.lower():
                return standing
        raise NotFound(f"There is no provider '{name}'")

    async def models(self, name: str, *, skip: int, limit: int) -> Sequence[EffectivePrice]:
        """A provider's priced models in the order of their names, with the prices that apply now.

        A model that only a pattern prices is not among them: nobody knows its name.

        Raises:
            NotFound: there is no such provider, and no price of a model of it.
        """
        names = await self._priced(name.lower())
        if not names:
            await self.get(name)
        wanted = sorted(names)[skip : skip + limit]
        lookup = PriceLookup(self.directory, self.catalogue, self.clock, _PATTERNS_AGE_S)
        found: list[EffectivePrice] = []
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            found += await asyncio.gather(
                *(self._effective(lookup, ModelName(name.lower(), model)) for model in some)
            )
        return found

    async def _priced(self, provider: str) -> set[str]:
        """The catalogue's models of a provider, and those that an administrator priced."""
        names = set(self.catalogue.models(provider)) if self.catalogue else set()
        async for price in everything(self.directory.prices):
            own = parse_model(price.model_key)
            if own.provider == provider:
                names.add(own.model)
        return names

    async def _effective(self, lookup: PriceLookup, name: ModelName) -> EffectivePrice:
        found = await lookup.find(name)
        date = self.catalogue.date if self.catalogue else None
        return EffectivePrice(name, found, date, None if found else "its price applies later")
