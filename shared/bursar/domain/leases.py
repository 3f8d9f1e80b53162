"""Leases: money that is reserved ahead for a client which calls providers itself.

A lease is a hold in every account that its project and client spend from, under the lease's id.
Reported usage is counted on the lease; when it ends, the hold settles at what it cost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from bursar.domain.budgets import AccountKey
from bursar.domain.money import ZERO, canonical
from bursar.domain.periods import Period


@dataclass(frozen=True, slots=True)
class Lease:
    """An amount that a client may spend until a time.

    Attributes:
        lease_id: also the id of its holds.
        accounts: where it is held, each as `<subject>|<period>`.
        amount_usd: what is held.
        used_usd: what has been reported under it so far.
        ends_at: when it must not be spent from any more.
        deadline: when what was not reported is charged as the policy says.
        closed_at: when it was settled; None while it is open.
        charged_usd: what the accounts were charged at that time.
        used_at_close_usd: what had been reported by then.
        unreported_usd: the part of the charge which nobody has reported, so far.
        revision: counts the changes, so that two at once cannot both apply.
    """

    lease_id: str
    project_id: str
    client_id: str | None
    accounts: tuple[str, ...]
    amount_usd: Decimal
    created_at: datetime
    ends_at: datetime
    deadline: datetime
    used_usd: Decimal = ZERO
    closed_at: datetime | None = None
    charged_usd: Decimal | None = None
    used_at_close_usd: Decimal | None = None
    unreported_usd: Decimal = ZERO
    revision: int = 0

    @property
    def account_keys(self) -> tuple[AccountKey, ...]:
        return tuple(parse_account(text) for text in self.accounts)

    @property
    def left_usd(self) -> Decimal:
        return canonical(max(ZERO, self.amount_usd - self.used_usd))

    def drawn(self, cost_usd: Decimal) -> tuple[Lease, Decimal]:
        """The lease after a report, and the part of its cost that the lease does not cover.

        An open lease covers everything: it settles at what was used, even above its amount. A
        closed one covers what was charged without a report.
        """
        if self.closed_at is None:
            used = canonical(self.used_usd + cost_usd)
            return replace(self, used_usd=used, revision=self.revision + 1), ZERO
        covered = min(cost_usd, self.unreported_usd)
        changed = replace(
            self,
            used_usd=canonical(self.used_usd + cost_usd),
            unreported_usd=canonical(self.unreported_usd - covered),
            revision=self.revision + 1,
        )
        return changed, canonical(cost_usd - covered)

    def closed(self, now: datetime, *, charges_unreported: bool) -> Lease:
        """The lease at its end."""
        unreported = self.left_usd if charges_unreported else ZERO
        return replace(
            self,
            closed_at=now,
            charged_usd=canonical(self.used_usd + unreported),
            used_at_close_usd=self.used_usd,
            unreported_usd=unreported,
            revision=self.revision + 1,
        )


def account_text(account: AccountKey) -> str:
    return f"{account.subject}|{account.period}"


def parse_account(text: str) -> AccountKey:
    subject, _, period = text.rpartition("|")
    return AccountKey(subject, Period.parse(period))
