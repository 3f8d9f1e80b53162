"""What of a new catalogue is more likely a mistake of its sources than a change of prices.

A rate that falls to nothing gives answers away, one that jumps refuses budgets their requests, and
models that lose their price are refused. A person has to agree to such a change.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bursar.domain.price_rates import Unit
from infra.prices.difference import rates_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Shards = Mapping[str, Mapping[str, Any]]

_JUMP: Final = 3
_LOST_SHARE: Final = 4
_LOST_MIN: Final = 3
# Dollars for what a rate pays for; no rate that was ever published is above.
_DEAREST: Final = 1_000
_DEAREST_OF: Final = {Unit.IMAGE: 5, Unit.AUDIO: 50}


def doubtful(old: Shards, new: Shards) -> list[str]:
    """One line for each change that should not be taken unseen."""
    lines: list[str] = []
    for shard in sorted(old.keys() | new.keys()):
        before, after = rows_of(old.get(shard)), rows_of(new.get(shard))
        lines += _lost(shard, _priced(before), _priced(after))
        for model, row in sorted(after.items()):
            for what in _of(before.get(model, {}), row):
                lines.append(f"{shard}:{model} {what}")
    return lines


def _priced(rows: Mapping[str, Mapping[str, Any]]) -> set[str]:
    return {model for model, row in rows.items() if "prices" in row}


def _lost(shard: str, before: set[str], after: set[str]) -> Iterator[str]:
    lost = len(before - after)
    if lost >= _LOST_MIN and lost * _LOST_SHARE > len(before):
        yield f"{shard}: {lost} of {len(before)} models lose their price"


def _of(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    known = dict(rates_of(before))
    for rate, new in rates_of(after):
        old = known.get(rate)
        dearest = _DEAREST_OF.get(Unit(rate.partition(" ")[0]), _DEAREST)
        if Decimal(new) > dearest and old != new:
            yield f"{rate} costs {new}, more than {dearest}"
        elif old is not None and Decimal(old):
            yield from _jump(rate, Decimal(old), Decimal(new))


def _jump(rate: str, old: Decimal, new: Decimal) -> Iterator[str]:
    if not new:
        yield f"{rate} {old} -> 0, so it would be free"
    elif new > _JUMP * old or old > _JUMP * new:
        yield f"{rate} {old} -> {new}, more than {_JUMP} times"
