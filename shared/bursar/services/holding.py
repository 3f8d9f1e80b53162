"""A request's hold in all the accounts that it spends from.

Accounts are asked one after the other, so they may differ for a while, or for as long as the
request lasts if one of them refuses. What each of them holds is known, up to writes whose answer
was lost.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from bursar.domain.errors import StoreUnavailable
from bursar.domain.money import QUANTUM_USD, canonical
from bursar.services.uncancelled import uncancelled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from bursar.domain.budgets import AccountKey, Limit
    from bursar.domain.holds import Hold, Shortfall
    from bursar.ports import Ledger

_LOG = logging.getLogger(__name__)


class Held:
    """What is held for one request, by account.

    Attributes:
        hold: what every account holds, once they agree.
    """

    def __init__(self, hold: Hold) -> None:
        self.hold = hold
        self._by_account: dict[AccountKey, list[Hold]] = {}

    def standing_in(self, account: AccountKey) -> list[Hold]:
        """The hold as it stands in an account, preceded by all that it might be as well.

        Others than the last are there if a write's answer was lost, or if it arrives late.
        """
        return self._by_account.setdefault(account, [self.hold])

    def fresh_amount(self, amount_usd: Decimal) -> Decimal:
        """An amount that the hold never had, so that no write that is late finds what it expects.

        At most a few millionths of a millionth of a dollar above what is asked for.
        """
        used = {hold.amount_usd for holds in self._by_account.values() for hold in holds}
        while amount_usd in used:
            amount_usd = canonical(amount_usd + QUANTUM_USD)
        return amount_usd


class Holding:
    """Moves a request's hold in all its accounts."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def reserve(
        self, limits: Sequence[Limit], hold: Hold, *, is_free: bool
    ) -> tuple[Limit, Shortfall] | None:
        """Hold in every account, or in none; then who refused, and what it has left.

        Raises:
            StoreUnavailable: nothing is held, or what is expires.
        """
        reserved: list[Limit] = []
        for limit in limits:
            reserved.append(limit)
            try:
                shortfall = await self._ledger.reserve(
                    limit.account, hold, None if is_free else limit.limit_usd
                )
            except BaseException:
                # Whether the last one is held is not known; releasing what is not held is harmless.
                await uncancelled(self._release(reserved, hold))
                raise
            if shortfall is not None:
                await uncancelled(self._release(reserved[:-1], hold))
                return limit, shortfall
        return None

    async def adjust(
        self, limits: Sequence[Limit], held: Held, amount_usd: Decimal, *, is_free: bool
    ) -> tuple[Limit, Shortfall] | None:
        """Hold another amount in every account; else who refused, and what it could hold.

        The accounts before that one hold the new amount then, and those after it the old one.

        Raises:
            StoreUnavailable: one of them holds either.
        """
        standing = [held.standing_in(limit.account) for limit in limits]
        if all(holds[-1].amount_usd == amount_usd for holds in standing):
            return None
        wanted = replace(held.hold, amount_usd=held.fresh_amount(amount_usd))
        for limit, holds in zip(limits, standing, strict=True):
            before, limit_usd = holds[-1], None if is_free else limit.limit_usd
            # Put first, because a write without an answer may have been carried out, or will be.
            holds.insert(0, wanted)
            shortfall = await self._ledger.adjust(
                limit.account, before, wanted.amount_usd, limit_usd
            )
            if shortfall is not None:
                return limit, shortfall
            holds.append(holds.pop(0))
        held.hold = wanted
        return None

    async def settle(self, limits: Sequence[Limit], held: Held, cost_usd: Decimal) -> None:
        """Replace the hold by the cost, whatever each account holds.

        Raises:
            StoreUnavailable: some accounts hold until the hold expires.
        """
        for limit in limits:
            for hold in reversed(held.standing_in(limit.account)):
                if await self._ledger.settle(limit.account, hold, cost_usd):
                    break

    async def _release(self, limits: Sequence[Limit], hold: Hold) -> None:
        for limit in limits:
            try:
                await self._ledger.release(limit.account, hold)
            except StoreUnavailable:
                _LOG.exception("a hold stays until it expires", extra={"hold_id": hold.hold_id})


def barred(limits: Sequence[Limit], hold: Hold, low_share: Decimal) -> Sequence[Limit]:
    """Limits that only admit a hold while a share is left before it; it may reach into that."""
    return tuple(
        limit
        if limit.limit_usd is None
        else replace(limit, limit_usd=_bar(limit.limit_usd, hold, low_share))
        for limit in limits
    )


def _bar(limit_usd: Decimal, hold: Hold, low_share: Decimal) -> Decimal:
    return min(limit_usd, canonical(limit_usd * (1 - low_share) + hold.amount_usd))


def is_low(limit: Limit, shortfall: Shortfall, low_share: Decimal) -> bool:
    """Whether a limit has less than a share left."""
    return limit.limit_usd is not None and shortfall.left_usd < limit.limit_usd * low_share
