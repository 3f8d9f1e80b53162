"""Aliases: names that stand for several models, and which of them is tried first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

RETRIES_MAX: Final = 5
"""So often at most the same model is asked again."""


class Strategy(StrEnum):
    """Which of an alias's models is tried first.

    ORDERED tries them as they are listed. WEIGHTED draws them, each by its weight among those that
    are left.
    """

    ORDERED = "ordered"
    WEIGHTED = "weighted"


@dataclass(frozen=True, slots=True)
class AliasTarget:
    """A model behind an alias.

    Attributes:
        model: `provider:model`.
        weight: its share of the requests is this of the sum of all; ORDERED takes no notice.
    """

    model: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class TierDown:
    """A cheaper model, for when money runs low.

    Attributes:
        below_share: of a budget's limit, above 0 and below 1: with less than this left, the
            cheaper model is tried first.
        model: `provider:model`; it is also the last one tried whenever the others fail.
    """

    below_share: Decimal
    model: str


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that callers ask for in place of a model.

    Attributes:
        name: a word, or `word:rest` where the word is no provider's name.
        targets: at least one.
        retries: how often the same model is tried again before the next one is.
    """

    name: str
    targets: tuple[AliasTarget, ...]
    created_at: datetime
    updated_at: datetime
    strategy: Strategy = Strategy.ORDERED
    tier_down: TierDown | None = None
    retries: int = 1
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def models(self, draw: Callable[[], float]) -> tuple[str, ...]:
        """Every model in the order in which it is to be tried, while there is money enough.

        Args:
            draw: gives numbers from 0 up to but without 1, evenly spread.
        """
        listed = list(self.targets)
        if self.strategy is Strategy.WEIGHTED:
            # Exponential arrival times, by weight: the first is first with just its share, and so
            # is the next among the rest. https://doi.org/10.1016/j.ipl.2005.11.003
            listed.sort(key=lambda target: _time(target, draw))
        models = [target.model for target in listed]
        if self.tier_down is not None:
            models.append(self.tier_down.model)
        return tuple(dict.fromkeys(models))


def _time(target: AliasTarget, draw: Callable[[], float]) -> float:
    return -math.log(1.0 - draw()) / target.weight
