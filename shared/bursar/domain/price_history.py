"""What administrators stated about a price, in the order in which they stated it.

Nothing in it is ever changed: the price that is in force is read from the whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from bursar.domain.pricing import Price

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class PriceStatement:
    """One statement.

    Attributes:
        number: its place in the order, as text that sorts.
        price: None where the price was removed, and all that was announced with it.
    """

    number: str
    model_key: str
    stated_at: datetime
    price: Price | None = None


def numbered(place: int) -> str:
    return f"{place:08d}"


def standing(statements: Sequence[PriceStatement], now: datetime) -> Price | None:
    """The price that the statements amount to, with what is announced; None if it was removed.

    Args:
        statements: all of one model's, in their order.
    """
    by_date: dict[datetime, Price] = {}
    for statement in statements:
        if statement.price is None:
            by_date.clear()
        else:
            by_date[_since(statement.price)] = statement.price
    dates = sorted(by_date)
    if not dates:
        return None
    began = [date for date in dates if date <= now]
    first = began[-1] if began else dates[0]
    upcoming = tuple(by_date[date] for date in dates if date > first)
    made_at = min(price.created_at for price in by_date.values())
    return replace(by_date[first], created_at=made_at, upcoming=upcoming)


def _since(price: Price) -> datetime:
    return price.effective_from or price.updated_at
