"""The price table."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from bursar.domain.errors import InvalidRequest, NotFound
from bursar.domain.models import parse_model
from bursar.domain.pricing import Price

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.ports import Clock, Directory


@dataclass(frozen=True, slots=True)
class PriceRequest:
    """A model's rates as an administrator states them; the fields are those of `Price`."""

    model_key: str
    input_usd_per_million: Decimal
    output_usd_per_million: Decimal
    cached_input_usd_per_million: Decimal | None = None
    context_window_tokens: int | None = None
    max_output_tokens: int | None = None


class PriceAdministration:
    """Prices by model. `provider/model` is read as `provider:model` everywhere."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._prices = directory.prices
        self._clock = clock

    async def set(self, wanted: PriceRequest) -> Price:
        """State a model's price in place of any other.

        Raises:
            InvalidRequest: the model does not name its provider.
        """
        model_key, now = str(parse_model(wanted.model_key)), self._clock()
        replaced = await self._prices.get(model_key)
        price = Price(
            model_key=model_key,
            input_usd_per_million=wanted.input_usd_per_million,
            output_usd_per_million=wanted.output_usd_per_million,
            created_at=now if replaced is None else replaced.created_at,
            updated_at=now,
            cached_input_usd_per_million=wanted.cached_input_usd_per_million,
            context_window_tokens=wanted.context_window_tokens,
            max_output_tokens=wanted.max_output_tokens,
        )
        await self._prices.put(price)
        return price

    async def page(self, *, skip: int, limit: int) -> Sequence[Price]:
        return await self._prices.page(skip=skip, limit=limit)

    async def get(self, model_key: str) -> Price:
        """Raises NotFound."""
        price = await self._prices.get(_known_as(model_key))
        if price is None:
            raise _no_such_price(model_key)
        return price

    async def remove(self, model_key: str) -> None:
        """Raises NotFound."""
        if not await self._prices.remove(_known_as(model_key)):
            raise _no_such_price(model_key)


def _known_as(model_key: str) -> str:
    try:
        return str(parse_model(model_key))
    except InvalidRequest:
        raise _no_such_price(model_key) from None


def _no_such_price(model_key: str) -> NotFound:
    return NotFound(f"Pricing for model '{model_key}' not found")
