"""What accounts have spent, and spending that follows its holder into another account."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bursar.domain.holds import Balance, Hold
from bursar.domain.ids import request_id
from bursar.domain.money import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from bursar.domain.budgets import AccountKey
    from bursar.ports import Ledger

_CARRY_DEADLINE = timedelta(minutes=1)


async def spent_usd(ledger: Ledger, accounts: Iterable[AccountKey]) -> Mapping[AccountKey, Decimal]:
    """What each account has spent, holds not counted; nothing where it does not exist yet."""
    balances = await balances_of(ledger, accounts)
    return {account: balance.spent_usd for account, balance in balances.items()}


async def balances_of(
    ledger: Ledger, accounts: Iterable[AccountKey]
) -> Mapping[AccountKey, Balance]:
    """How each account stands; an empty balance where it does not exist yet."""
    wanted = tuple(dict.fromkeys(accounts))
    balances = await ledger.balances(wanted) if wanted else {}
    return {account: balances.get(account, Balance()) for account in wanted}


async def carry(
    ledger: Ledger, old: AccountKey | None, new: AccountKey | None, now: datetime
) -> None:
    """Make the new account as full as the old one, open holds included.

    Called before the holder is switched to the new account, so that no request finds it empty.
    What is reserved until the last gateway has noticed the switch, a matter of seconds, stays in
    the old account and under its limit. Calling it again is harmless.
    """
    if old is None or new is None or old == new:
        return
    carried_usd = await _committed_usd(ledger, old)
    await begin(ledger, new, carried_usd, now)


async def begin(ledger: Ledger, account: AccountKey, spent_usd: Decimal, now: datetime) -> None:
    """Have an account begin with what was spent before; one that exists is raised to it."""
    if spent_usd > ZERO and not await ledger.open(account, spent_usd):
        await fill(ledger, account, spent_usd, now)


async def fill(ledger: Ledger, account: AccountKey, level_usd: Decimal, now: datetime) -> None:
    """Raise an existing account to a level: a holder comes back to a calendar period it left.

    `level_usd` includes what is held.

    The hold is empty and settles at the difference, so one that is left behind charges nothing.
    """
    missing_usd = level_usd - await _committed_usd(ledger, account)
    if missing_usd > ZERO:
        hold = Hold(request_id(now), ZERO, now + _CARRY_DEADLINE, account.subject)
        await ledger.reserve(account, hold, None)
        await ledger.settle(account, hold, missing_usd)


async def _committed_usd(ledger: Ledger, account: AccountKey) -> Decimal:
    return (await ledger.balances((account,))).get(account, Balance()).committed_usd
