"""How keys stand that have a budget of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from bursar.domain.accounts import key_account
from bursar.domain.keys import VirtualKey
from bursar.services.assigned_budgets import budget_of
from bursar.services.spending import spent_usd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.ports import Directory, Ledger


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """A key and how its own account stands.

    Attributes:
        spend_usd: spent in the current period of the key's own budget, holds not counted; None
            where no such budget gives the key an account.
        next_reset_at: when that period ends; None where nothing ends it.
    """

    key: VirtualKey
    spend_usd: Decimal | None = None
    next_reset_at: datetime | None = None


async def key_standings(
    directory: Directory, ledger: Ledger, keys: Sequence[VirtualKey], now: datetime
) -> Sequence[KeyStanding]:
    """How each of some keys stands, in their order."""
    budgets = {
        budget_id: await budget_of(directory, budget_id)
        for budget_id in dict.fromkeys(key.budget_id for key in keys)
    }
    accounts = [key_account(key, budgets[key.budget_id], now) for key in keys]
    spent = await spent_usd(ledger, [account for account in accounts if account is not None])
    return [
        KeyStanding(key)
        if account is None
        else KeyStanding(key, spent[account], account.period.end)
        for key, account in zip(keys, accounts, strict=True)
    ]
