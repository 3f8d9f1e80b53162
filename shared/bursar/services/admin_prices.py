"""Administrators' prices, which come before the catalogue's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from bursar.domain.errors import InvalidRequest, NotFound
from bursar.domain.models import ModelName, parse_model
from bursar.domain.price_history import PriceStatement, numbered, standing
from bursar.domain.price_patterns import is_pattern
from bursar.domain.price_rates import Rates, RateTable, RateTier
from bursar.domain.pricing import Price
from bursar.services.listing import everything
from bursar.services.price_lookup import FoundPrice, PriceLookup, PriceSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.ports import Clock, Collection, Directory, PriceCatalogue


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """A model's rates as an administrator states them; the fields are those of `Price`."""

    model_key: str
    input_usd_per_million: Decimal
    output_usd_per_million: Decimal
    cached_input_usd_per_million: Decimal | None = None
    context_window_tokens: int | None = None
    max_output_tokens: int | None = None
    rates: Rates = field(default_factory=dict)
    tiers: tuple[RateTier, ...] = ()
    service_tiers: Mapping[str, RateTable] = field(default_factory=dict)
    effective_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class EffectivePrice:
    """What a request for a model would be charged by now.

    Attributes:
        name: the model that was asked about.
        found: None where a request is refused for want of a price.
        catalogue_date: of the catalogue in use, None if none is.
        why_none: for a person, where nothing was found.
    """

    name: ModelName
    found: FoundPrice | None
    catalogue_date: str | None
    why_none: str | None = None


class PriceAdministration:
    """Prices by model. `provider/model` is read as `provider:model` everywhere."""

    def __init__(
        self, directory: Directory, clock: Clock, catalogue: PriceCatalogue | None = None
    ) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._clock = clock

    async def set(self, wanted: PriceRequest) -> Price:
        """State the price of a model, or of all that a pattern covers, from a time on.

        It replaces any other from then on; what was announced for later stays.

        Raises:
            InvalidRequest: the model does not name its provider, or the time is over.
        """
        model_key, now = str(parse_model(wanted.model_key)), self._clock()
        since = wanted.effective_from or now
        if since < now:
            raise InvalidRequest(
                "A price cannot begin to apply in the past: what was charged stays as it is",
                param="effective_from",
            )
        price = Price(
            model_key=model_key,
            input_usd_per_million=wanted.input_usd_per_million,
            output_usd_per_million=wanted.output_usd_per_million,
            created_at=now,
            updated_at=now,
            cached_input_usd_per_million=wanted.cached_input_usd_per_million,
            context_window_tokens=wanted.context_window_tokens,
            max_output_tokens=wanted.max_output_tokens,
            rates=wanted.rates,
            tiers=wanted.tiers,
            service_tiers=wanted.service_tiers,
            effective_from=since,
        )
        await self._state(model_key, price, now)
        return await self.get(model_key)

    async def page(self, *, skip: int, limit: int) -> Sequence[Price]:
        """Patterns first, then models, each in the order of their names."""
        patterns = [price async for price in everything(self._directory.price_patterns)]
        shown = patterns[skip : skip + limit]
        if len(shown) < limit:
            past = max(skip - len(patterns), 0)
            prices = await self._directory.prices.page(skip=past, limit=limit - len(shown))
            shown = [*shown, *prices]
        now = self._clock()
        return [price.at(now) or price for price in shown]

    async def get(self, model_key: str) -> Price:
        """The price that applies now, or the first that will.

        Raises:
            NotFound: an administrator set none.
        """
        name = _known_as(model_key)
        price = await self._rows(name).get(name)
        if price is None:
            raise _no_such_price(model_key)
        return price.at(self._clock()) or price

    async def history(self, model_key: str) -> Sequence[PriceStatement]:
        """All that was ever stated, newest first.

        Raises:
            NotFound: nothing was.
        """
        statements = await self._statements(_known_as(model_key))
        if not statements:
            raise _no_such_price(model_key)
        return statements[::-1]

    async def remove(self, model_key: str) -> None:
        """Remove a price and what was announced with it; the catalogue's applies again.

        Raises:
            NotFound: there is none.
        """
        name = _known_as(model_key)
        if await self._rows(name).get(name) is None:
            raise _no_such_price(model_key)
        await self._state(name, None, self._clock())

    async def effective(self, model_key: str) -> EffectivePrice:
        """Tell which price applies to a model now, and why none does.

        Raises:
            InvalidRequest: the model does not name its provider.
        """
        name = parse_model(model_key)
        lookup = PriceLookup(self._directory, self._catalogue, self._clock)
        found = await lookup.find(name)
        if self._catalogue is None:
            why = None if found else "no price is set, and this deployment uses no catalogue"
            return EffectivePrice(name, found, None, why)
        why = None if found else f"no price is set, and {self._catalogue.why_not(name)}"
        return EffectivePrice(name, found, self._catalogue.date, why)

    async def catalogued(self, model_key: str) -> EffectivePrice:
        """Tell what the catalogue says of a model, whatever an administrator has set for it.

        Raises:
            InvalidRequest: the model does not name its provider.
        """
        name = parse_model(model_key)
        if self._catalogue is None:
            return EffectivePrice(name, None, None, "this deployment uses no catalogue")
        price = self._catalogue.price(name, self._clock())
        found = None if price is None else FoundPrice(price, PriceSource.CATALOGUE)
        return EffectivePrice(name, found, self._catalogue.date, self._catalogue.why_not(name))

    async def _state(self, model_key: str, price: Price | None, now: datetime) -> None:
        """Write a statement, and then the row that all statements amount to.

        Whoever else states something meanwhile writes the row as well; the last one to look sees
        all statements, so none is lost.
        """
        history = self._directory.price_history(model_key)
        known = await self._statements(model_key)
        while True:
            number = numbered(len(known) + 1)
            if await history.add(PriceStatement(number, model_key, now, price)):
                break
            known = await self._statements(model_key)
        seen = 0
        while seen != len(known := await self._statements(model_key)):
            seen = len(known)
            await self._write(model_key, standing(known, now))

    async def _statements(self, model_key: str) -> list[PriceStatement]:
        """A model's history; a price from before there was one is its first statement."""
        history = self._directory.price_history(model_key)
        statements = [statement async for statement in everything(history)]
        if statements:
            return statements
        row = await self._rows(model_key).get(model_key)
        if row is None:
            return []
        first = PriceStatement(numbered(1), model_key, row.updated_at, row)
        await history.add(first)
        return [first]

    async def _write(self, model_key: str, price: Price | None) -> None:
        rows = self._rows(model_key)
        if price is None:
            await rows.remove(model_key)
        else:
            await rows.put(price)

    def _rows(self, model_key: str) -> Collection[Price]:
        is_one = not is_pattern(model_key)
        return self._directory.prices if is_one else self._directory.price_patterns


def _known_as(model_key: str) -> str:
    try:
        return str(parse_model(model_key))
    except InvalidRequest:
        raise _no_such_price(model_key) from None


def _no_such_price(model_key: str) -> NotFound:
    return NotFound(f"Pricing for model '{model_key}' not found")
