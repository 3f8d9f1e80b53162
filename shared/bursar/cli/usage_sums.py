"""What usage records add up to: exact decimals, by day, user, key, model and so on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.usage_fields import full_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

# Sums of any number of amounts of 38 digits keep all of theirs.
_EXACT: Final = Context(prec=80)
_SHARE: Final = Decimal("0.0001")


GROUPINGS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "day": lambda record: record["timestamp"][:10],
    "user": lambda record: record["user_id"],
    "key": lambda record: record["api_key_id"],
    "model": full_name,
    "project": lambda record: record["project_id"],
    "provider": lambda record: record["provider"],
    "alias": lambda record: record["alias"],
    "client": lambda record: record["client_id"],
    "outcome": lambda record: record["outcome"],
}
"""What a record counts for, by the grouping's name; days are UTC's."""


@dataclass(slots=True)
class Sum:
    """What some records add up to. Records without a price cost nothing."""

    requests: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal = Decimal(0)

    def add(self, record: Mapping[str, Any]) -> None:
        self.requests += 1
        self.errors += record["status"] != "success"
        self.prompt_tokens += record["prompt_tokens"] or 0
        self.completion_tokens += record["completion_tokens"] or 0
        if record["cost"] is not None:
            self.cost = _EXACT.add(self.cost, Decimal(record["cost"]))

    def row(self, total: Sum) -> dict[str, Any]:
        """Its fields, and its share of the cost of all."""
        return {
            "requests": self.requests,
            "errors": self.errors,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost": _plain(self.cost),
            "share": _share(self.cost, total.cost),
        }


@dataclass(slots=True)
class Summary:
    """Sums by groups, one for each combination of what they are grouped by."""

    by: Sequence[str]
    total: Sum = field(default_factory=Sum)
    groups: dict[tuple[Any, ...], Sum] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Any]], by: Sequence[str]) -> Summary:
        """Add up records as they come, of which none is kept."""
        summary = cls(by)
        for record in records:
            group = tuple(GROUPINGS[name](record) for name in by)
            summary.groups.setdefault(group, Sum()).add(record)
            summary.total.add(record)
        return summary

    def rows(self) -> list[dict[str, Any]]:
        """A row a group: days in their order, everything else by cost, the dearest first."""
        return [
            {**dict(zip(self.by, group, strict=True)), **self.groups[group].row(self.total)}
            for group in sorted(self.groups, key=self._order)
        ]

    def _order(self, group: tuple[Any, ...]) -> tuple[Any, ...]:
        days = tuple(value for name, value in zip(self.by, group, strict=True) if name == "day")
        found = self.groups[group]
        return (days, -found.cost, -found.requests, tuple(map(str, group)))


def days_between(first: str, last: str) -> Iterator[str]:
    """Every day from one to another, both included, as `YYYY-MM-DD`."""
    from datetime import date, timedelta  # noqa: PLC0415 (only drawings fill gaps)

    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        yield day.isoformat()
        day += timedelta(days=1)


def _plain(amount: Decimal) -> Decimal:
    """The same amount without trailing zeros or an exponent."""
    return Decimal(f"{amount.normalize(_EXACT):f}")


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    """A part of a whole to four decimals; None of nothing."""
    if whole == 0:
        return None
    with localcontext(_EXACT):
        return (part / whole).quantize(_SHARE, rounding=ROUND_HALF_EVEN)
