"""Budgets, and which account of which holder a budget puts in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from bursar.domain.periods import Calendar, Period, calendar, rolling


class Scope(StrEnum):
    """Whose spending a budget's limit applies to."""

    EACH = "each"
    POOL = "pool"


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit, a period and a scope.

    Attributes:
        max_budget_usd: the limit of a period; None only tracks.
        duration_s: length of a rolling period; None with no `calendar` means one that never ends.
        calendar: a calendar period instead of a rolling one.
        time_zone: where calendar periods begin, an IANA name.
        scope: EACH gives every user or key that has this budget a limit of its own; POOL is one
            limit that they all share.
    """

    budget_id: str
    created_at: datetime
    updated_at: datetime
    max_budget_usd: Decimal | None = None
    duration_s: int | None = None
    calendar: Calendar | None = None
    time_zone: str = "UTC"
    scope: Scope = Scope.EACH

    def period_at(self, now: datetime, started_at: datetime) -> Period:
        """The period of `now`, where rolling ones count from `started_at`."""
        if self.calendar is not None:
            return calendar(self.calendar, self.time_zone, now)
        if self.duration_s is not None:
            return rolling(started_at, self.duration_s, now)
        return Period(started_at)


@dataclass(frozen=True, slots=True)
class AccountKey:
    """Names an account: one subject's money in one period.

    `subject` is `user/<id>`, `key/<id>`, `pool/<budget id>`, `project/<id>` or `client/<id>`.
    """

    subject: str
    period: Period


@dataclass(frozen=True, slots=True)
class Limit:
    """An account a request must reserve in.

    Attributes:
        limit_usd: the most that may be committed; None only tracks.
        label: names the account's holder in a refusal, as in `User 'alice'`.
        budget_id: the budget behind it, None where spending is only tracked.
    """

    account: AccountKey
    limit_usd: Decimal | None
    label: str
    budget_id: str | None = None


def user_subject(user_id: str) -> str:
    return f"user/{user_id}"


def key_subject(key_id: str) -> str:
    return f"key/{key_id}"


def pool_subject(budget_id: str) -> str:
    return f"pool/{budget_id}"


def project_subject(project_id: str) -> str:
    return f"project/{project_id}"


def client_subject(client_id: str) -> str:
    return f"client/{client_id}"
