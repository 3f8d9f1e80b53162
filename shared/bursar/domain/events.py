"""What the services tell whoever observes them, for metrics: no key, no prompt, no text of errors.

Nothing depends on an event being seen. Money is in the books; events say how the gateway fares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bursar.domain.usage import UsageRecord


@dataclass(frozen=True, slots=True)
class Closed:
    """A request that was reserved has ended.

    Attributes:
        record: what the books say of it.
        failure: how the provider failed it, one of a few words (`upstream_429`); None if it did
            not.
        failed_attempts: each as `provider:model` and the word, those before a success included.
    """

    record: UsageRecord
    failure: str | None = None
    failed_attempts: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        return self.failure or self.record.status.value


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A request ended before anything was reserved for it.

    Attributes:
        request_id: the one that its caller was told.
        code: that of the error it was answered with.
    """

    request_id: str
    code: str


@dataclass(frozen=True, slots=True)
class Swept:
    """The schedule's work was done once; counts of what it did."""

    holds_expired: int
    holds_repaired: int
    periods_closed: int


Event: TypeAlias = Closed | TurnedAway | Swept
Observe: TypeAlias = Callable[[Event], None]


def unobserved(event: Event) -> None:
    """Observe nothing."""
