"""What a newly compiled catalogue changes, for whoever has to decide whether to take it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Shards = Mapping[str, Mapping[str, Any]]

_LIMITS = {"window": "context window", "output_max": "longest answer"}
_MINIMUM_SECONDS = {"seconds_min": "shortest audio billed, seconds"}


def difference(old: Shards, new: Shards) -> list[str]:
    """One line for each change, in the order of providers and models; empty where none is."""
    lines = []
    for shard in sorted({*old, *new}):
        before, after = rows_of(old.get(shard)), rows_of(new.get(shard))
        for model in sorted({*before, *after}):
            name = f"{shard}:{model}"
            lines += [f"{name:<56} {what}" for what in _of(before.get(model), after.get(model))]
        lines += [f"{shard}: {what}" for what in _renamed(old.get(shard), new.get(shard))]
    return lines


def summary(old: Shards, new: Shards) -> str:
    """How many models are new, gone or changed, in a line."""
    before = {(shard, model): row for shard in old for model, row in rows_of(old[shard]).items()}
    after = {(shard, model): row for shard in new for model, row in rows_of(new[shard]).items()}
    changed = sum(before[model] != after[model] for model in before.keys() & after.keys())
    new_ones, gone = len(after.keys() - before.keys()), len(before.keys() - after.keys())
    return f"{len(after)} models: {new_ones} new, {gone} gone, {changed} changed"


def rows_of(shard: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """A shard's rows by their models."""
    return {row["id"]: row for row in (shard or {}).get("rows", ())}


def _renamed(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[str]:
    """The names and rules that lead to other models, beside a new model's own name."""
    old, new = _names(before), _names(after)
    for name in sorted({*old, *new}):
        leads, led = new.get(name), old.get(name)
        is_its_own = name == f"'{(leads or led or '').lower()}'" and None in (leads, led)
        if leads != led and not is_its_own:
            yield f"{name} leads to {_shown(led)} -> {_shown(leads)}"
    if old == new and list(old) != list(new):
        yield "its rules are asked in another order"


def _names(shard: Mapping[str, Any] | None) -> dict[str, str]:
    """Which model each name and rule leads to, wherever its row stands."""
    if shard is None:
        return {}
    ids = [row["id"] for row in shard["rows"]]
    names = {f"'{name}'": ids[row] for name, row in sorted(shard["names"].items())}
    for rule, row in shard["rules"]:
        names.setdefault(f"rule {json.dumps(rule)}", ids[row])
    return names


def _of(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[str]:
    if before is None:
        yield f"new     {_summary(after or {})}"
    elif after is None:
        yield "gone"
    elif before != after:
        yield from _changes(before, after)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if before.get("left_out") != after.get("left_out"):
        yield f"{_summary(before)} -> {_summary(after)}"
        return
    rates_before, rates_after = dict(rates_of(before)), dict(rates_of(after))
    for rate in sorted({*rates_before, *rates_after}):
        old, new = rates_before.get(rate), rates_after.get(rate)
        if old != new:
            yield f"{rate:<24} {_shown(old)} -> {_shown(new)}{_percent(old, new)}"
    for field, what in {**_LIMITS, **_MINIMUM_SECONDS}.items():
        if before.get(field) != after.get(field):
            yield f"{what:<24} {_shown(before.get(field))} -> {_shown(after.get(field))}"


def rates_of(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every rate under a name that says when, in which tier and above which length it applies."""
    for tier, dated in {"": row.get("prices", ()), **row.get("tiers", {})}.items():
        for each in dated:
            words = [tier, f"from {each['from']}" if "from" in each else ""]
            words.append("daily {}-{}".format(*each["daily"]) if "daily" in each else "")
            for unit, rate in each["rates"].items():
                base, *above = rate if isinstance(rate, list) else [rate]
                label = " ".join(word for word in (unit, *words) if word)
                yield label, base
                yield from ((f"{label} above {start}", dearer) for start, dearer in above)


def _summary(row: Mapping[str, Any]) -> str:
    if "left_out" in row:
        return f"left out, because {row['left_out']}"
    return ", ".join(f"{rate} {usd}" for rate, usd in rates_of(row))


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)


def _percent(old: str | None, new: str | None) -> str:
    if old is None or new is None or not Decimal(old):
        return ""
    change = (Decimal(new) / Decimal(old) - 1) * 100
    return f" ({change:+.1f}%)"
