"""From public data to the catalogue: one shard for each of their providers, and an index.

A shard has `names`, the row of every name that a rule equals; `rules`, the wider rules in their
order; and `rows`. Whoever looks a name up takes the row of the name, or of the first rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genai_prices import types

from bursar.prices.matching import matches, row_of
from infra.prices import clauses
from infra.prices.left_out import is_free, reason_against
from infra.prices.mapping import BACKENDS, PREFIXES, SHARDS
from infra.prices.rates import standard_of, tiers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from infra.prices.limits import Limits
    from infra.prices.supplement import Entry, Supplement

Shard = dict[str, Any]
_MINIMUM_SECONDS = {"groq": {"whisper-large-v3": 10, "whisper-large-v3-turbo": 10}}
"""Groq bills no less for a transcription; genai-prices has this in its code, not in its data."""
_GEMINI_ONLY = "gemma"


def compiled(
    providers: Sequence[types.Provider], limits: Limits, supplement: Supplement, day: date
) -> dict[str, Shard]:
    """The shards by name."""
    backends = tuple(prefix for prefix, _ in BACKENDS.values())
    shards = {
        provider.id: _shard(provider, limits.get(provider.id, {}), day)
        for provider in providers
        if provider.id in SHARDS or provider.id.startswith(backends)
    }
    for name, entries in supplement.items():
        shards.setdefault(name, {"names": {}, "rules": [], "rows": []})
        _supplement(shards[name], entries)
    return shards


def index_of(shards: Mapping[str, Shard], day: date) -> dict[str, Any]:
    """Where each of our providers is."""
    ours: dict[str, Any] = {
        name: {"shard": shard, **({"prefix": PREFIXES[name]} if name in PREFIXES else {})}
        for shard, row in SHARDS.items()
        if shard in shards
        for name in row.providers
    }
    for name, (prefix, separator) in BACKENDS.items():
        backends = {
            shard.removeprefix(prefix): shard
            for shard in sorted(shards)
            if shard.startswith(prefix)
        }
        ours[name] = {"separator": separator, "backends": backends}
    return {"date": day.isoformat(), "providers": dict(sorted(ours.items()))}


def _shard(
    provider: types.Provider, limits: Mapping[str, Sequence[int | None]], day: date
) -> Shard:
    rules = [clauses.compact(model.match) for model in provider.models]
    equalled = {name for rule in rules for name in clauses.names_in(rule)}
    names = {name: _first(rules, name) for name in sorted(equalled)}
    rows = [_row(provider.id, model, day) for model in provider.models]
    wider = [(clauses.wider_than_names(rule), row) for row, rule in enumerate(rules)]
    for name, found in limits.items():
        number = _first(rules, name)
        if number is not None:
            _widen(rows[number], found)
    for at, row in enumerate(rows):
        _check_limits(row)
        own_name = _own_name(at, row["id"], names, rules)
        if own_name is not None:
            row["name"] = own_name
    return {
        "names": names,
        "rules": [[rule, row] for rule, row in wider if rule is not None],
        "rows": rows,
    }


def _supplement(shard: Shard, entries: Mapping[str, Entry]) -> None:
    """Give the shard a row for each model that it does not know."""
    for name, entry in entries.items():
        if row_of(shard, name) is not None:
            continue
        shard["names"][name.lower()] = len(shard["rows"])
        if "rates" in entry:
            priced = {"id": name, "prices": [{"rates": entry["rates"]}], "name": name}
            shard["rows"].append(priced)
        else:
            shard["rows"].append({"id": name, **entry})


def _own_name(
    number: int, model_id: str, names: Mapping[str, int | None], rules: Sequence[clauses.Clause]
) -> str | None:
    """A name that leads to a row, for lists: its id if that does, or one that it equals."""
    for name in (model_id.replace("regional.", "us.", 1), model_id):
        if _first(rules, name.lower()) == number:
            return name
    return next((name for name, row in names.items() if row == number), None)


def _first(rules: Sequence[clauses.Clause], name: str) -> int | None:
    return next((row for row, rule in enumerate(rules) if matches(rule, name)), None)


def _row(shard: str, model: types.ModelInfo, day: date) -> dict[str, Any]:
    row: dict[str, Any] = {"id": model.id}
    reason = reason_against(shard, model, _prices(model))
    if reason is not None:
        return row | {"left_out": reason}
    row["prices"] = standard_of(model, day, is_free=is_free(shard, model))
    tiers = tiers_of(model, day)
    if tiers:
        row["tiers"] = tiers
    if model.context_window:
        row["window"] = model.context_window
    seconds_min = _MINIMUM_SECONDS.get(shard, {}).get(model.id)
    if seconds_min:
        row["seconds_min"] = seconds_min
    if shard == "google" and model.id.startswith(_GEMINI_ONLY) and is_free(shard, model):
        row["only"] = ["gemini"]
    return row


def _prices(model: types.ModelInfo) -> list[types.ModelPrice]:
    if isinstance(model.prices, types.ModelPrice):
        return [model.prices]
    return [each.prices for each in model.prices]


def _widen(row: dict[str, Any], limits: Sequence[int | None]) -> None:
    for field, limit in zip(("window", "output_max"), limits, strict=True):
        if limit is not None and "prices" in row:
            row[field] = max(limit, row.get(field, 0))


def _check_limits(row: dict[str, Any]) -> None:
    """Drop limits that the rates contradict, or that cap nothing."""
    every = [each["rates"] for each in row.get("prices", ())]
    starts = [
        tier[0]
        for rates in every
        for rate in rates.values()
        if isinstance(rate, list)
        for tier in rate[1:]
    ]
    answers_in_words = any("output" in rates for rates in every)
    if not answers_in_words or any(start >= row.get("window", 0) for start in starts):
        row.pop("window", None)
    if not answers_in_words:
        row.pop("output_max", None)
