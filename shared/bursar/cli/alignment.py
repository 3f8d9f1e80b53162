"""Numbers under each other in a column, point under point."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBER: Final = re.compile(r"\$?[0-9]+(\.[0-9]+)?")


def on_the_point(cells: Sequence[str]) -> list[str]:
    """Cells that read right where they are aligned to the right; what is no number stays so."""
    tails = [_tail(cell) for cell in cells]
    longest = max(map(len, tails), default=0)
    return [
        cell + " " * (longest - len(tail)) if _NUMBER.fullmatch(cell) else cell
        for cell, tail in zip(cells, tails, strict=True)
    ]


def _tail(cell: str) -> str:
    """The point and what follows it."""
    found = _NUMBER.fullmatch(cell)
    return (found[1] or "") if found else ""
