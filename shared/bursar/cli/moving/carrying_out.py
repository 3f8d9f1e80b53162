"""Takes the steps of a plan."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.failures import Failed, RefusedByGateway
from bursar.cli.moving.findings import Action, Kind
from bursar.cli.moving.plan import PATHS, address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bursar.cli.moving.findings import Record
    from bursar.cli.moving.plan import Step
    from bursar.cli.options import Session

_CONFLICT: Final = 409


def carry_out(session: Session, steps: Sequence[Step]) -> Counter[str]:
    """Take every step that does something; how many there were of each kind of outcome.

    It stops at the first that the gateway refuses: what follows may need it. A key whose user is
    not there would be given one without a budget.

    Raises:
        Failed: the gateway refuses a step.
    """
    done: Counter[str] = Counter()
    active = [step for step in steps if step.record is not None]
    with _followed(session, active) as passing:
        for step in passing:
            done[_taken(session, step)] += 1
    return done


def _taken(session: Session, step: Step) -> str:
    record = step.record
    if record is None:
        raise ValueError(f"Nothing is to be done about {step.kind} {step.name}")
    try:
        if step.action is Action.CREATE or record.kind is Kind.PRICE:
            session.ask("POST", PATHS[record.kind], _sent(record))
        else:
            session.ask(
                "PATCH", address(record), {name: record.body[name] for name in step.changed}
            )
    except RefusedByGateway as refusal:
        if refusal.status == _CONFLICT and step.action is Action.CREATE:
            session.output.say(f"{step.kind} {step.name}: {refusal.message}")
            return "found here already"
        raise Failed(
            f"{step.kind} {step.name}: {refusal.message}\nThe import stopped there. Mend it and "
            "import again: what is here already is skipped",
            refusal.exit_code,
        ) from None
    return "created" if step.action is Action.CREATE else "changed"


def _sent(record: Record) -> dict[str, Any]:
    return {name: value for name, value in record.body.items() if value is not None}


@contextmanager
def _followed(session: Session, steps: Sequence[Step]) -> Iterator[Iterator[Step]]:
    """Give the steps, with a bar on standard error if somebody watches."""
    if session.output.is_quiet or not sys.stderr.isatty():
        yield iter(steps)
        return
    with click.progressbar(steps, label="Importing", file=sys.stderr) as passing:
        yield iter(passing)
