"""What a newly compiled catalogue changes, for whoever has to decide whether to take it."""

from __future__ import annotations

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
        before, after = _rows(old.get(shard)), _rows(new.get(shard))
        for model in sorted({*before, *after}):
            name = f"{shard}:{model}"
            lines += [f"{name:<56} {what}" for what in _of(before.get(model), after.get(model))]
        if _names(old.get(shard)) != _names(new.get(shard)):
            lines.append(f"{shard}: names that lead to its models changed")
    return lines


def _rows(shard: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    return {row["id"]: row for row in (shard or {}).get("rows", ())}


def _names(shard: Mapping[str, Any] | None) -> Any:
    """Which model each name and rule leads to, wherever its row stands."""
    if shard is None:
        return {}
    ids = [row["id"] for row in shard["rows"]]
    names = {name: ids[row] for name, row in shard["names"].items()}
    return names, [(rule, ids[row]) for rule, row in shard["rules"]]


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
    rates_before, rates_after = dict(_rates(before)), dict(_rates(after))
    for rate in sorted({*rates_before, *rates_after}):
        old, new = rates_before.get(rate), rates_after.get(rate)
        if old != new:
            yield f"{rate:<24} {_shown(old)} -> {_shown(new)}{_percent(old, new)}"
    for field, what in {**_LIMITS, **_MINIMUM_SECONDS}.items():
        if before.get(field) != after.get(field):
            yield f"{what:<24} {_shown(before.get(field))} -> {_shown(after.get(field))}"


def _rates(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
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
    return ", ".join(f"{rate} {usd}" for rate, usd in _rates(row))


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)


def _percent(old: str | None, new: str | None) -> str:
    if old is None or new is None or not Decimal(old):
        return ""
    change = (Decimal(new) / Decimal(old) - 1) * 100
    return f" ({change:+.1f}%)"
