"""The ledger on DynamoDB: money moves by single conditional writes to one item an account.

Conditions cannot calculate, so the caller subtracts: an account has room for an amount if what is
committed is at most the limit less that amount. Each verb states its race in its docstring.
"""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bursar.domain.holds import Balance, Hold, Shortfall
from bursar.domain.money import ZERO, canonical
from bursar.store.accounts import (
    OPEN_SHARDS,
    account_key,
    hold_entry,
    hold_name,
    new_account,
    open_shard,
    read_account_key,
    read_balance,
    read_committed,
    read_held,
)
from bursar.store.batches import get_items
from bursar.store.creation import IS_THERE, conflicting
from bursar.store.errors import ConditionFailed
from bursar.store.queries import query
from bursar.store.schema import OPEN_ACCOUNTS_INDEX
from bursar.store.values import number, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from decimal import Decimal

    from bursar.domain.budgets import AccountKey
    from bursar.store.call import Attribute, Call, Item

IS_OPEN: Final = "attribute_not_exists(closed_at)"
IS_NOT_YET_HELD: Final = "attribute_not_exists(holds.#hold)"
HAS_ROOM: Final = "committed <= :room"
IS_HELD: Final = "holds.#hold[0] = :amount"
HAS_NO_HOLDS: Final = "size(holds) = :zero"

_NO_ACCOUNT: Final[Item] = {}


class DynamoLedger:
    """The port is `Ledger`."""

    def __init__(self, call: Call, table_name: str) -> None:
        self._call = call
        self._table_name = table_name

    async def reserve(
        self, account: AccountKey, hold: Hold, limit_usd: Decimal | None
    ) -> Shortfall | None:
        """Hold, in an account that exists or else in a new one.

        Two first reservations may both find no account. One of them creates it, the other's
        creation fails, and it holds in the account that is there now.
        """
        refused_by = await self._hold(account, hold, limit_usd)
        if refused_by == _NO_ACCOUNT:
            if limit_usd is not None and hold.amount_usd > limit_usd:
                return Shortfall(max(ZERO, limit_usd))
            first = {hold_name(hold.hold_id): hold_entry(account, hold)}
            if await self._create(new_account(account, hold.amount_usd, first)):
                return None
            refused_by = await self._hold(account, hold, limit_usd)
        return None if refused_by is None else _shortfall(refused_by, hold, limit_usd)

    async def adjust(
        self, account: AccountKey, hold: Hold, amount_usd: Decimal, limit_usd: Decimal | None
    ) -> Shortfall | None:
        """Write the hold's new amount and commit the difference, in one update.

        Of an adjustment and a settlement or expiry, the first finds the amount that it asks for;
        the other changes nothing. A repetition finds the new amount there and is told so. One
        that arrives late, after yet another adjustment, must not find the amount that it once
        replaced: whoever adjusts a hold more than once never returns to an earlier amount.
        """
        added_usd = canonical(amount_usd - hold.amount_usd)
        conditions = [IS_HELD]
        values = {
            ":amount": number(hold.amount_usd),
            ":new": number(amount_usd),
            ":added": number(added_usd),
        }
        if limit_usd is not None and added_usd > ZERO:
            conditions.append(HAS_ROOM)
            values[":room"] = number(canonical(limit_usd - added_usd))
        request = self._update(
            account,
            "SET committed = committed + :added, holds.#hold[0] = :new",
            conditions,
            values,
        )
        refused_by = await self._refusing(request, hold)
        return (
            None if refused_by is None else _shortfall_of(refused_by, hold, amount_usd, limit_usd)
        )

    async def settle(self, account: AccountKey, hold: Hold, cost_usd: Decimal) -> bool:
        """Take the hold out and commit the difference.

        Of a settlement, its repetition and the sweeper's expiry, the first finds the hold; for
        the others it is gone, so a cost is counted once.
        """
        request = self._update(
            account,
            "REMOVE holds.#hold SET committed = committed + :delta",
            [IS_HELD],
            {
                ":delta": number(canonical(cost_usd - hold.amount_usd)),
                ":amount": number(hold.amount_usd),
            },
        )
        request["ExpressionAttributeNames"] = {"#hold": hold_name(hold.hold_id)}
        return await self._carry_out(request)

    async def release(self, account: AccountKey, hold: Hold) -> bool:
        return await self.settle(account, hold, ZERO)

    async def balances(self, accounts: Sequence[AccountKey]) -> Mapping[AccountKey, Balance]:
        """Read consistently: the sweeper and a refusal's advice must see their own writes."""
        keys = [account_key(account) for account in dict.fromkeys(accounts)]
        items = await get_items(self._call, self._table_name, keys)
        named = [(read_account_key(item), item) for item in items]
        return {account: read_balance(account, item) for account, item in named}

    async def open(self, account: AccountKey, spent_usd: Decimal) -> bool:
        """Of an opening and a first reservation, whichever is later finds the account."""
        return await self._create(new_account(account, canonical(spent_usd), {}))

    async def open_accounts(self) -> AsyncIterator[AccountKey]:
        """Read from the index, which may lag behind by an account just opened or closed."""
        for shard in range(OPEN_SHARDS):
            request = {
                "TableName": self._table_name,
                "IndexName": OPEN_ACCOUNTS_INDEX,
                "KeyConditionExpression": "gsi1pk = :shard",
                "ExpressionAttributeValues": {":shard": text(open_shard(shard))},
            }
            async with aclosing(query(self._call, request)) as keys:
                async for key in keys:
                    yield read_account_key(key)

    async def close(self, account: AccountKey) -> bool:
        """Close, unless a reservation came first; one that comes later finds no room."""
        request = self._update(
            account,
            "REMOVE gsi1pk, gsi1sk SET closed_at = :now",
            [IS_OPEN, HAS_NO_HOLDS],
            {":now": text(datetime.now(UTC).isoformat()), ":zero": number(0)},
        )
        return await self._carry_out(request)

    async def _hold(
        self, account: AccountKey, hold: Hold, limit_usd: Decimal | None
    ) -> Item | None:
        """Hold in an account that exists; else the item that refused, empty if there is none."""
        conditions = [IS_THERE, IS_OPEN, IS_NOT_YET_HELD]
        values = {":amount": number(hold.amount_usd), ":entry": hold_entry(account, hold)}
        if limit_usd is not None:
            conditions.append(HAS_ROOM)
            values[":room"] = number(canonical(limit_usd - hold.amount_usd))
        request = self._update(
            account,
            "SET committed = committed + :amount, holds.#hold = :entry",
            conditions,
            values,
        )
        return await self._refusing(request, hold)

    async def _refusing(self, request: dict[str, Any], hold: Hold) -> Item | None:
        """Carry out an update of a hold; else the item that refused it, empty if there is none."""
        request["ExpressionAttributeNames"] = {"#hold": hold_name(hold.hold_id)}
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        try:
            await self._call("UpdateItem", request)
        except ConditionFailed as refused:
            return refused.item or _NO_ACCOUNT
        return None

    def _update(
        self,
        account: AccountKey,
        expression: str,
        conditions: Sequence[str],
        values: Mapping[str, Attribute],
    ) -> dict[str, Any]:
        return {
            "TableName": self._table_name,
            "Key": account_key(account),
            "UpdateExpression": expression,
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeValues": values,
        }

    async def _carry_out(self, request: Mapping[str, Any]) -> bool:
        try:
            await self._call("UpdateItem", request)
        except ConditionFailed:
            return False
        return True

    async def _create(self, item: Mapping[str, Attribute]) -> bool:
        return await conflicting(self._call, self._table_name, item) is None


def _shortfall(refused_by: Item, hold: Hold, limit_usd: Decimal | None) -> Shortfall | None:
    """Why an account refused: it has the hold already (None), is closed, or lacks the room."""
    if hold_name(hold.hold_id) in refused_by["holds"]["M"]:
        return None
    if limit_usd is None or "closed_at" in refused_by:
        return Shortfall(ZERO)
    return Shortfall(max(ZERO, canonical(limit_usd - read_committed(refused_by))))


def _shortfall_of(
    refused_by: Item, hold: Hold, amount_usd: Decimal, limit_usd: Decimal | None
) -> Shortfall | None:
    """Why a hold was not adjusted: it was before (None), is not open, or its account is full."""
    held_usd = read_held(refused_by, hold.hold_id)
    if held_usd == amount_usd:
        return None
    if held_usd != hold.amount_usd or limit_usd is None:
        return Shortfall(ZERO)
    left_usd = max(ZERO, limit_usd - read_committed(refused_by))
    return Shortfall(canonical(left_usd + hold.amount_usd))
