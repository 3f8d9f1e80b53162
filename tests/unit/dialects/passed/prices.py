"""Price rows of the ways to bill."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bursar.domain.pricing import Price

if TYPE_CHECKING:
    from bursar.domain.price_rates import Unit

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def by_tokens(**more: Any) -> Price:
    return Price("a:b", Decimal(5), Decimal(30), _NOW, _NOW, **more)


def by_the_piece(unit: Unit) -> Price:
    return Price("a:b", None, None, _NOW, _NOW, rates={unit: Decimal("0.04")})


FREE = Price("a:b", Decimal(0), Decimal(0), _NOW, _NOW)
