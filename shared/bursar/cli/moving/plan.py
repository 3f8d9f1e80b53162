"""What an import would do, held against what is here already."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.fields import path_to
from bursar.cli.listing import pages
from bursar.cli.moving.describing import described
from bursar.cli.moving.findings import Action, Kind, Record
from bursar.cli.moving.reading import moment
from bursar.cli.output import Column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.cli.moving.findings import Findings
    from bursar.cli.options import Session

PATHS: Final = {
    Kind.BUDGET: "/v1/budgets",
    Kind.PRICE: "/v1/pricing",
    Kind.ALIAS: "/v1/aliases",
    Kind.USER: "/v1/users",
    Kind.KEY: "/v1/keys",
}
_IDS: Final = {
    Kind.BUDGET: "budget_id",
    Kind.PRICE: "model_key",
    Kind.ALIAS: "name",
    Kind.USER: "user_id",
    Kind.KEY: "id",
}
# What only matters when something begins here, and goes its own way afterwards.
_AT_FIRST: Final = frozenset({"spend", "budget_started_at", "key_digest", "is_foreign"})
COLUMNS: Final = (
    Column("action", "ACTION"),
    Column("kind", "WHAT"),
    Column("name", "NAME"),
    Column("reason", "WHY, AND WHAT OF IT"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one thing.

    Attributes:
        record: what to send; None where nothing is.
        changed: the fields that a CHANGE sets.
    """

    action: Action
    kind: str
    name: str
    reason: str = ""
    record: Record | None = None
    changed: tuple[str, ...] = ()

    @property
    def row(self) -> dict[str, Any]:
        return {
            "action": str(self.action),
            "kind": str(self.kind),
            "name": self.name,
            "reason": self.reason,
        }


def planned(session: Session, found: Findings, *, updates: bool) -> list[Step]:
    """Steps in the order in which they must be taken, then what is left out.

    Args:
        updates: change what is here already and differs.
    """
    steps = []
    for kind in Kind:
        records = [record for record in found.records if record.kind is kind]
        here = existing(session, kind) if records else {}
        steps += [_step(record, here.get(record.name), updates=updates) for record in records]
    steps += [Step(each.action, each.kind, each.name, each.reason) for each in found.left_out]
    return steps


def existing(session: Session, kind: Kind) -> dict[str, Mapping[str, Any]]:
    """What is here, by id."""
    return {str(each[_IDS[kind]]): each for each in pages(session, PATHS[kind])}


def summary(steps: Sequence[Step]) -> str:
    """A line of counts."""
    counts = Counter(step.action for step in steps)
    words = {
        Action.CREATE: "to create",
        Action.CHANGE: "to change",
        Action.SKIP: "to skip",
        Action.CANNOT: "that cannot come",
    }
    return ", ".join(f"{counts[action]} {text}" for action, text in words.items() if counts[action])


def address(record: Record) -> str:
    """Where a record is changed."""
    return path_to(PATHS[record.kind], record.name)


def _step(record: Record, here: Mapping[str, Any] | None, *, updates: bool) -> Step:
    kind, name = str(record.kind), record.name
    if here is None:
        return Step(Action.CREATE, kind, name, described(record), record)
    label = _label(record)
    changed = tuple(
        field
        for field, value in record.body.items()
        if field not in _AT_FIRST and not _same(value, here.get(field))
    )
    if not changed:
        return Step(Action.SKIP, kind, name, f"{label}is here already")
    differences = ", ".join(
        f"{field} {_said(here.get(field))} here, {_said(record.body[field])} there"
        for field in changed
    )
    if record.kind is Kind.KEY and "user_id" in changed:
        return Step(Action.CANNOT, kind, name, f"{label}is here for another user: {differences}")
    if updates:
        return Step(Action.CHANGE, kind, name, f"{label}{differences}", record, changed)
    reason = f"{label}is here and stays as it is: {differences} (--update takes theirs)"
    return Step(Action.SKIP, kind, name, reason)


def _label(record: Record) -> str:
    name = record.body.get("key_name")
    return f"{name}: " if name else ""


def _same(there: Any, here: Any) -> bool:
    if _plain(there) == _plain(here):
        return True
    if isinstance(there, str) and isinstance(here, str):
        try:
            return moment(there) == moment(here)
        except ValueError:
            return False
    return False


def _plain(value: Any) -> Any:
    """Numbers as numbers, whatever their type, and empty as absent."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _said(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "none" if value is None else str(value)
