"""Numbers as characters: a line of columns, and bars to an eighth of a character."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLUMNS: Final = "▁▂▃▄▅▆▇█"
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_NOTHING: Final = " "


def sparkline(values: Sequence[Decimal]) -> str:
    """A character a value, as tall as its part of the largest; a space for nothing."""
    largest = max(values, default=Decimal(0))
    return "".join(_column(value, largest) for value in values)


def bar(part: Decimal, width: int) -> str:
    """A bar of a part between 0 and 1, on `width` characters; whatever is not nothing shows."""
    eighths = int(part * width * 8)
    if eighths == 0:
        return _EIGHTHS[1] if part > 0 else ""
    whole, rest = divmod(min(eighths, width * 8), 8)
    return ("█" * whole + _EIGHTHS[rest]).rstrip()


def _column(value: Decimal, largest: Decimal) -> str:
    if value <= 0:
        return _NOTHING
    step = int(value * len(_COLUMNS) / largest)
    return _COLUMNS[min(step, len(_COLUMNS) - 1)]
