"""The audit log: who changed what through the management and platform APIs, and who may not.

An entry has no body, no credential and no address of anybody. Of what a caller wrote it keeps the
ids in the path alone, and of callers who are nobody not even these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bursar.domain.ids import made_at

KEPT_DAYS = 400
"""How long an entry is kept: a year, and time to look at it."""
_ID_CHARS_MAX = 300
# What keys and tokens look like; somebody may have taken one for its id.
_SECRET = re.compile(
    r"\b(gw|sk|bst|bursar-master|bursar-recovery)-|\b(bursar|ANY)\.|[A-Za-z0-9+_=-]{60,}"
)
_HIDDEN = "(hidden)"


class ActorKind(StrEnum):
    """What a caller showed: the master key, an AWS identity, a person's or a project's token."""

    MASTER_KEY = "master_key"
    AWS = "aws"
    PERSON = "person"
    PROJECT = "project"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asked.

    Attributes:
        actor_id: a person's or a project's id; None for who has none.
        name: a person's email, or the ARN that a caller by AWS identity says it has.
    """

    kind: ActorKind
    actor_id: str | None = None
    name: str | None = None


NOBODY = Actor(ActorKind.NOBODY)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A request that changed something, or that its caller was not allowed.

    Attributes:
        request_id: also tells when the request came.
        route: the path's template, as in `/v1/keys/{key_id}`.
        ids: what stood in its braces.
        status: the answer's. From 500 on nobody knows how much was carried out.
    """

    request_id: str
    method: str
    route: str
    status: int
    actor_kind: ActorKind
    actor_id: str | None = None
    actor_name: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def created_at(self) -> datetime:
        return made_at(self.request_id)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to list: from the start to before the end, of one actor if one is named.

    Attributes:
        actor: a kind, an id or a name.
    """

    start: datetime
    end: datetime
    actor: str | None = None

    def accepts(self, entry: AuditEntry) -> bool:
        actors = (None, entry.actor_kind.value, entry.actor_id, entry.actor_name)
        return self.start <= entry.created_at < self.end and self.actor in actors


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, newest first, and where the next page begins."""

    entries: tuple[AuditEntry, ...]
    next_cursor: str | None


def audited_ids(actor: Actor, ids: Mapping[str, object]) -> dict[str, str]:
    """The ids of a path that may be kept: a stranger's none, and nothing that may be a secret."""
    if actor.kind is ActorKind.NOBODY:
        return {}
    return {name: _shown(str(value)) for name, value in ids.items()}


def _shown(value: str) -> str:
    return _HIDDEN if _SECRET.search(value) else value[:_ID_CHARS_MAX]
