"""A catalogue's row as a price: what of it applies at a time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bursar.domain.price_rates import Rates, RateTable, RateTier, Unit
from bursar.domain.pricing import Price

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Written = Mapping[str, Any]

_BY_NAME = frozenset({Unit.INPUT, Unit.OUTPUT, Unit.CACHED_INPUT})


def price_of_row(
    row: Written, provider: str, catalogue_date: str, now: datetime, name: str | None = None
) -> Price:
    """The price that a row states, with the windows of its day and its announced changes resolved.

    Args:
        row: one with rates.
        provider: our name of it.
        catalogue_date: YYYY-MM-DD.
        now: aware.
        name: the model's, as callers write it; the row's own where there is none.
    """
    table = _table(_in_force(row["prices"], now)["rates"])
    stated = datetime.fromisoformat(catalogue_date).replace(tzinfo=UTC)
    return Price(
        model_key=f"{provider}:{name or row['id']}",
        input_usd_per_million=table.rates.get(Unit.INPUT),
        output_usd_per_million=table.rates.get(Unit.OUTPUT),
        created_at=stated,
        updated_at=stated,
        cached_input_usd_per_million=table.rates.get(Unit.CACHED_INPUT),
        context_window_tokens=row.get("window"),
        max_output_tokens=row.get("output_max"),
        rates={unit: rate for unit, rate in table.rates.items() if unit not in _BY_NAME},
        tiers=table.tiers,
        service_tiers={
            name: _table(_merged(variants, now)) for name, variants in row.get("tiers", {}).items()
        },
        audio_seconds_min=row.get("seconds_min", 0),
        catalogue_date=catalogue_date,
        catalogue_key=f"{provider}:{row['id']}",
    )


def _in_force(dated: list[Written], now: datetime) -> Written:
    """The last that is active, or the first where none is."""
    return next((each for each in reversed(dated) if _is_active(each, now)), dated[0])


def _merged(variants: Iterable[Written], now: datetime) -> dict[str, Any]:
    """Each unit's rate from the first active variant that names it."""
    merged: dict[str, Any] = {}
    for variant in variants:
        if _is_active(variant, now):
            merged = {**variant["rates"], **merged}
    return merged


def _is_active(dated: Written, now: datetime) -> bool:
    now = now.astimezone(UTC)
    if "from" in dated:
        return now.date() >= date.fromisoformat(dated["from"])
    if "daily" not in dated:
        return True
    start, end = map(time.fromisoformat, dated["daily"])
    clock = now.time()
    if end < start:
        return clock >= start or clock < end
    return start <= clock < end


def _table(written: Written) -> RateTable:
    """Rates as text, tiers beside them: `{"input": ["1.25", [200000, "2.5"]]}`."""
    rates: dict[Unit, Decimal] = {}
    tiers: dict[int, dict[Unit, Decimal]] = {}
    for name, rate in written.items():
        base, *above = rate if isinstance(rate, list) else [rate]
        rates[Unit(name)] = Decimal(base)
        for threshold, dearer in above:
            tiers.setdefault(threshold, {})[Unit(name)] = Decimal(dearer)
    return RateTable(rates, tuple(_tier(*tier) for tier in sorted(tiers.items())))


def _tier(above_input_tokens: int, rates: Rates) -> RateTier:
    return RateTier(above_input_tokens, rates)
