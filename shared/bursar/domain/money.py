"""Dollars as exact decimals, and the one place that rounds them.

Amounts are `Decimal` US dollars, never floats. DynamoDB numbers hold 38 significant digits; the
smallest amount kept, a millionth of a millionth of a dollar, leaves 26 digits before the point.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal, DecimalException, localcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

ZERO = Decimal(0)
QUANTUM_USD = Decimal("0.000000000001")
_EXACT = Context(prec=38, rounding=ROUND_CEILING)
# Any rate times any count, and the sum of many such, has fewer digits.
_UNROUNDED = Context(prec=120, rounding=ROUND_CEILING)


def round_up(amount_usd: Decimal) -> Decimal:
    """Round up to the smallest amount kept, in canonical form (no trailing zeros, no exponent).

    Raises:
        DecimalException: the amount needs more than 38 digits.
    """
    return canonical(amount_usd.quantize(QUANTUM_USD, context=_EXACT))


def canonical(amount_usd: Decimal) -> Decimal:
    """Write the same amount without trailing zeros or an exponent."""
    normal = amount_usd.normalize(_EXACT)
    exponent = normal.as_tuple().exponent
    return normal.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else normal


def exactly() -> AbstractContextManager[Context]:
    """Within it, sums and products of amounts keep all their digits."""
    return localcontext(_UNROUNDED)


def price_of(count: int, rate_usd: Decimal, units_per_rate: int = 1_000_000) -> Decimal:
    """Price units without rounding; round the sum of a request's parts, once, with `round_up`."""
    return _UNROUNDED.divide(_UNROUNDED.multiply(count, rate_usd), units_per_rate)


def parse_usd(text: str) -> Decimal:
    """Read an amount.

    Raises:
        ValueError: not a finite decimal number.
    """
    try:
        amount = Decimal(text)
    except DecimalException:
        raise ValueError(f"{text!r} is not a decimal number") from None
    if not amount.is_finite():
        raise ValueError(f"{text!r} is not a finite number")
    return canonical(amount)


def display(amount_usd: Decimal) -> str:
    """Write an amount for a person: `$0.05`, `$0.0000021`."""
    return f"${canonical(amount_usd):f}"
