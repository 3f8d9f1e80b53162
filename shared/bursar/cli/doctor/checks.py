"""What a check is, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from bursar.cli.doctor.books import Books
from bursar.cli.doctor.table import TableReader
from bursar.cli.doctor.temporary import Temporary
from bursar.cli.doctor.trials import Trial
from bursar.cli.options import Session
from bursar.cli.stack import StackConnection


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found.

    Attributes:
        seen: in a sentence.
        remedy: what to do about it; None where there is nothing to do.
        details: a line each.
    """

    outcome: Outcome
    seen: str
    remedy: str | None = None
    details: tuple[str, ...] = ()

    @classmethod
    def passed(cls, seen: str, *details: str) -> Verdict:
        return cls(Outcome.PASSED, seen, None, details)

    @classmethod
    def failed(cls, seen: str, remedy: str, *details: str) -> Verdict:
        return cls(Outcome.FAILED, seen, remedy, details)

    @classmethod
    def skipped(cls, seen: str, remedy: str) -> Verdict:
        return cls(Outcome.SKIPPED, seen, remedy)


@dataclass(frozen=True)
class Context:
    """What checks work with.

    Attributes:
        stack: the deployed stack; None where the gateway is asked over HTTP.
        table: the gateway's table; None where there is no access to it.
        trial: a model that may be called; or why there is none, as a verdict.
        scan_limit: items of the table that are looked at, at most.
    """

    session: Session
    stack: StackConnection | None
    table: TableReader | None
    temporary: Temporary
    trial: Trial | Verdict = field(
        default_factory=lambda: Verdict.skipped("No model was called", "Name one with --model")
    )
    scan_limit: int = 100_000

    @property
    def url(self) -> str:
        """The gateway's public root."""
        return self.session.connection.url.rstrip("/")

    @cached_property
    def books(self) -> Books:
        return Books(self.session)


class Check(Protocol):
    """One claim that can be proved or refuted."""

    @property
    def name(self) -> str:
        """In `--only` and `--skip`."""
        ...

    @property
    def proves(self) -> str:
        """The claim."""
        ...

    @property
    def calls(self) -> bool:
        """Whether it calls a model, so that it needs `Context.trial`."""
        ...

    def run(self, context: Context) -> Verdict:
        """Look.

        Raises:
            Failed: the gateway refused, or did not answer, where nothing else was expected.
        """
        ...
