"""A record in a few words, for the table that shows what would happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.cli.moving.findings import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from bursar.cli.moving.findings import Record

_UNITS_S = (("days", 86_400), ("hours", 3_600), ("minutes", 60))


def described(record: Record) -> str:
    """What is worth to know of a record before it is created."""
    body = record.body
    match record.kind:
        case Kind.BUDGET:
            what = _budget(body)
        case Kind.PRICE:
            rates = (_usd(body[f"{name}_price_per_million"]) for name in ("input", "output"))
            what = "{} in, {} out a million tokens".format(*rates)
        case Kind.ALIAS:
            what = "→ " + ", ".join(map(_target, body["targets"]))
        case Kind.USER:
            what = ", ".join(_user(body))
        case Kind.KEY:
            what = ", ".join(_key(body))
    return "; ".join(part for part in (what, record.about) if part)


def _budget(body: Mapping[str, Any]) -> str:
    limit = "no limit" if body["max_budget"] is None else _usd(body["max_budget"])
    if body.get("budget_period"):
        return f"{limit} a {body['budget_period']} ({body['time_zone']})"
    seconds = body.get("budget_duration_sec")
    return f"{limit} every {_length(seconds)}" if seconds else f"{limit} for good"


def _length(seconds: int) -> str:
    unit, size = next((each for each in _UNITS_S if seconds % each[1] == 0), ("seconds", 1))
    return f"{seconds // size} {unit}"


def _target(target: Mapping[str, Any]) -> str:
    weight = target["weight"]
    return str(target["model"]) if weight == 1 else f"{target['model']}={weight}"


def _user(body: Mapping[str, Any]) -> list[str]:
    said = [body["alias"]] if body.get("alias") else []
    return [*said, *(["blocked"] if body.get("blocked") else []), *_money(body)]


def _key(body: Mapping[str, Any]) -> list[str]:
    said = [body["key_name"]] if body.get("key_name") else []
    said += [f"of {body['user_id']}"] if body.get("user_id") else []
    said += [f"until {body['expires_at'][:10]}"] if body.get("expires_at") else []
    return [*said, *([] if body["is_active"] else ["inactive"]), *_money(body)]


def _money(body: Mapping[str, Any]) -> list[str]:
    said = [f"budget {body['budget_id']}"] if body.get("budget_id") else []
    return [*said, *([f"{_usd(body['spend'])} spent"] if body.get("spend") else [])]


def _usd(amount: Decimal) -> str:
    return f"${amount:f}"
