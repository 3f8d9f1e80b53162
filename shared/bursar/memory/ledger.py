from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from bursar.domain.holds import Balance, Hold, Shortfall
from bursar.domain.money import ZERO, canonical

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from bursar.domain.budgets import AccountKey


@dataclass(slots=True)
class _Account:
    committed_usd: Decimal = ZERO
    holds: dict[str, Hold] = field(default_factory=dict)
    is_closed: bool = False

    def shortfall(self, amount_usd: Decimal, limit_usd: Decimal | None) -> Shortfall | None:
        if self.is_closed:
            return Shortfall(ZERO)
        if limit_usd is None or self.committed_usd <= limit_usd - amount_usd:
            return None
        return Shortfall(max(ZERO, canonical(limit_usd - self.committed_usd)))


class MemoryLedger:
    """The ledger in memory; the port is `Ledger`."""

    def __init__(self) -> None:
        self._accounts: dict[AccountKey, _Account] = {}

    async def reserve(
        self, account: AccountKey, hold: Hold, limit_usd: Decimal | None
    ) -> Shortfall | None:
        kept = self._accounts.get(account, _Account())
        if hold.hold_id in kept.holds:
            return None
        shortfall = kept.shortfall(hold.amount_usd, limit_usd)
        if shortfall is None:
            kept.committed_usd = canonical(kept.committed_usd + hold.amount_usd)
            kept.holds[hold.hold_id] = _to_the_second(hold)
            self._accounts[account] = kept
        return shortfall

    async def adjust(
        self, account: AccountKey, hold: Hold, amount_usd: Decimal, limit_usd: Decimal | None
    ) -> Shortfall | None:
        kept = self._accounts.get(account, _Account())
        found = kept.holds.get(hold.hold_id)
        if found is not None and found.amount_usd == amount_usd:
            return None
        if found is None or found.amount_usd != hold.amount_usd:
            return Shortfall(ZERO)
        added_usd = amount_usd - found.amount_usd
        if added_usd > ZERO and (shortfall := kept.shortfall(added_usd, limit_usd)) is not None:
            return Shortfall(canonical(shortfall.left_usd + found.amount_usd))
        kept.committed_usd = canonical(kept.committed_usd + added_usd)
        kept.holds[hold.hold_id] = replace(found, amount_usd=amount_usd)
        return None

    async def settle(self, account: AccountKey, hold: Hold, cost_usd: Decimal) -> bool:
        kept = self._accounts.get(account)
        found = kept.holds.get(hold.hold_id) if kept is not None else None
        if kept is None or found is None or found.amount_usd != hold.amount_usd:
            return False
        del kept.holds[hold.hold_id]
        kept.committed_usd = canonical(kept.committed_usd + cost_usd - hold.amount_usd)
        return True

    async def release(self, account: AccountKey, hold: Hold) -> bool:
        return await self.settle(account, hold, ZERO)

    async def balances(self, accounts: Sequence[AccountKey]) -> Mapping[AccountKey, Balance]:
        return {
            account: Balance(kept.committed_usd, dict(kept.holds))
            for account in accounts
            if (kept := self._accounts.get(account)) is not None
        }

    async def open(self, account: AccountKey, spent_usd: Decimal) -> bool:
        if account in self._accounts:
            return False
        self._accounts[account] = _Account(canonical(spent_usd))
        return True

    async def open_accounts(self) -> AsyncIterator[AccountKey]:
        for account, kept in list(self._accounts.items()):
            if not kept.is_closed:
                yield account

    async def close(self, account: AccountKey) -> bool:
        kept = self._accounts.get(account)
        if kept is None or kept.is_closed or kept.holds:
            return False
        kept.is_closed = True
        return True


def _to_the_second(hold: Hold) -> Hold:
    return replace(hold, deadline=hold.deadline.replace(microsecond=0))
