"""Prices for many models at once: `*` and `?` stand for anything in `provider:model`.

Some providers take a model's name in any case, so patterns do.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bursar.domain.pricing import Price

_WILDCARDS = re.compile(r"[*?]")


def is_pattern(model_key: str) -> bool:
    return _WILDCARDS.search(model_key) is not None


def most_specific_first(prices: Iterable[Price]) -> tuple[Price, ...]:
    """The patterns with the most characters that stand for themselves first."""
    return tuple(sorted(prices, key=_generality))


def covers(pattern: str, model_key: str) -> bool:
    return _compiled(pattern).fullmatch(model_key) is not None


def _generality(price: Price) -> tuple[int, str]:
    return -len(_WILDCARDS.sub("", price.model_key)), price.model_key


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    escaped = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(escaped, re.DOTALL | re.IGNORECASE)
