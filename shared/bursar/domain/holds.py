"""Holds and balances: what an account's ledger item says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from bursar.domain.money import ZERO, canonical


@dataclass(frozen=True, slots=True)
class Hold:
    """Money reserved for one request.

    Attributes:
        hold_id: the request's id.
        deadline: when the sweeper may charge it in full, to the second.
        user_id: whose usage record closes it.
    """

    hold_id: str
    amount_usd: Decimal
    deadline: datetime
    user_id: str


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A refused reservation or adjustment: what is left for the hold under the account's limit.

    It is at least zero.
    """

    left_usd: Decimal


@dataclass(frozen=True, slots=True)
class Balance:
    """An account as it stands.

    Attributes:
        committed_usd: everything spent and everything held.
        holds: open holds by id.
    """

    committed_usd: Decimal = ZERO
    holds: Mapping[str, Hold] = field(default_factory=dict)

    @property
    def held_usd(self) -> Decimal:
        return canonical(sum((hold.amount_usd for hold in self.holds.values()), ZERO))

    @property
    def spent_usd(self) -> Decimal:
        return canonical(self.committed_usd - self.held_usd)
