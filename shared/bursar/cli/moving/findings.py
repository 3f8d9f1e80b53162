"""What another gateway has, in the words of this one's management API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What moves, in the order in which it must: a key's user and budget are there before it."""

    BUDGET = "budget"
    PRICE = "price"
    ALIAS = "alias"
    USER = "user"
    KEY = "key"


class Action(StrEnum):
    """What becomes of something."""

    CREATE = "create"
    CHANGE = "change"
    SKIP = "skip"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True)
class Record:
    """Something to be created here.

    Attributes:
        name: its id.
        body: what the management API takes to create it.
        about: for people: what of it stays behind, or is different here.
    """

    kind: Kind
    name: str
    body: Mapping[str, Any]
    about: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that does not move.

    Attributes:
        kind: what it is there, as in `setting`.
        action: SKIP where nothing is lost by it, CANNOT where the reason says what is.
    """

    kind: str
    name: str
    reason: str
    action: Action = Action.CANNOT


@dataclass(frozen=True, slots=True)
class Task:
    """What the administrator has to do, and with which command."""

    what: str
    command: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderNeed:
    """A provider that is to be called from here, too.

    Attributes:
        key_from: where its key is there, for people; None where it has none. Never the key.
        fields: what else is set for it there, by name.
    """

    name: str
    key_from: str | None = None
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Findings:
    """All that was found, gathered source by source.

    Attributes:
        models: what is in use there, so that it should have a price here.
    """

    records: list[Record] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    providers: dict[str, ProviderNeed] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    _known: set[tuple[Kind, str]] = field(default_factory=set)

    def add(self, kind: Kind, name: str, body: Mapping[str, Any], about: str = "") -> None:
        """Take a record, unless one of its kind and id came from an earlier source."""
        if not self.has(kind, name):
            self._known.add((kind, name))
            self.records.append(Record(kind, name, body, about))

    def has(self, kind: Kind, name: str) -> bool:
        return (kind, name) in self._known

    def skip(self, kind: str, name: str, reason: str) -> None:
        self.left_out.append(LeftOut(kind, name, reason, Action.SKIP))

    def cannot(self, kind: str, name: str, reason: str) -> None:
        self.left_out.append(LeftOut(kind, name, reason))

    def names(self, kind: Kind) -> set[str]:
        return {name for each, name in self._known if each is kind}
