"""Rates of genai-prices in the catalogue's notation: decimal text by unit, tiers beside it.

`{"input": "1.25", "output": ["10", [200000, "15"]]}` means 15 above 200,000 input tokens. What
began to apply before the catalogue's day applies always, and what that replaced is left out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from genai_prices import types

from bursar.domain.money import canonical
from bursar.domain.price_rates import Unit
from infra.prices.mapping import TIER_KEYS, UNITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

Written = dict[str, Any]


def standard_of(model: types.ModelInfo, day: date, *, is_free: bool) -> list[Written]:
    """What applies when; the last one that is active counts, or the first if none is."""
    if is_free:
        return [{"rates": {Unit.INPUT: "0", Unit.OUTPUT: "0"}}]
    prices = model.prices
    if isinstance(prices, types.ModelPrice):
        return [{"rates": _rates(model, prices)}]
    dated = [
        {"rates": _rates(model, each.prices), **_when(each.constraint, day)} for each in prices
    ]
    always = [index for index, each in enumerate(dated) if len(each) == 1]
    return dated[always[-1] :] if always else dated


def tiers_of(model: types.ModelInfo, day: date) -> dict[str, list[Written]]:
    """By service tier, in what it differs; the first active one that names a unit counts."""
    tiers: dict[str, list[Written]] = {}
    for variant in model.price_variants or ():
        name, rates = tier_name(variant.when), _rates(model, variant.prices)
        if name is not None and rates:
            tiers.setdefault(name, []).append({"rates": rates, **_when(variant.constraint, day)})
    return tiers


def tier_name(when: Mapping[str, str]) -> str | None:
    """The service tier that a condition is about; None for one about anything else."""
    if len(when) != 1 or not when.keys() <= TIER_KEYS:
        return None
    return next(iter(when.values()))


def _rates(model: types.ModelInfo, price: types.ModelPrice) -> Written:
    written: Written = {}
    for key, value in price.__dict__.items():
        unit = UNITS.get(key)
        if unit is None or value is None:
            continue
        rate = _rate(value)
        if written.setdefault(unit, rate) != rate:
            raise ValueError(f"{model.id} has two rates for {unit}: {written[unit]} and {rate}")
    return written | _of_the_only_kind(model, written)


def _of_the_only_kind(model: types.ModelInfo, written: Written) -> Written:
    """Models that answer with nothing but pictures or speech may have one rate for all output."""
    output = written.get(Unit.OUTPUT)
    if output is None:
        return {}
    if model.id.startswith("gpt-image") and Unit.OUTPUT_IMAGE not in written:
        return {Unit.OUTPUT_IMAGE: output}
    if "tts" in model.id.split("-") and Unit.OUTPUT_AUDIO not in written:
        return {Unit.OUTPUT_AUDIO: output}
    return {}


def _rate(value: Decimal | types.TieredPrices) -> Any:
    if isinstance(value, types.TieredPrices):
        return [_text(value.base), *([tier.start, _text(tier.price)] for tier in value.tiers)]
    return _text(value)


def _text(rate: Decimal) -> str:
    if not rate.is_finite() or rate < 0:
        raise ValueError(f"{rate} is no rate: the data are damaged")
    return f"{canonical(rate):f}"


def _when(constraint: Any, day: date) -> Written:
    match constraint:
        case None:
            return {}
        case types.StartDateConstraint():
            start = constraint.start_date
            return {} if start <= day else {"from": start.isoformat()}
        case types.TimeOfDateConstraint():
            return {"daily": [_utc(constraint.start_time), _utc(constraint.end_time)]}
        case _:
            raise TypeError(f"{type(constraint).__name__} is a condition that is not known")


def _utc(value: time) -> str:
    if value.tzinfo is not None:
        value = datetime.combine(date(1970, 1, 1), value).astimezone(UTC).time()
    return value.isoformat()
