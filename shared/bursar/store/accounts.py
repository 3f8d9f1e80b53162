"""Accounts as items.

A hold's entry in the map `holds` is written once per request into an item that every request
rewrites, so it is kept small: the request's id as 22 characters, and the holder's name only in
accounts whose subject does not tell it.
"""

from __future__ import annotations

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from bursar.domain.budgets import AccountKey, project_subject, user_subject
from bursar.domain.holds import Balance, Hold
from bursar.domain.money import canonical
from bursar.domain.periods import Period
from bursar.store.values import number, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.store.call import Attribute, Item

OPEN_SHARDS: Final = 8
_PREFIX: Final = "ACCOUNT#"
_NEVER: Final = "never"
_USER: Final = user_subject("")
_PROJECT: Final = project_subject("")


def account_key(account: AccountKey) -> dict[str, Attribute]:
    return {"pk": text(_PREFIX + account.subject), "sk": text(str(account.period))}


def read_account_key(key: Item) -> AccountKey:
    return AccountKey(key["pk"]["S"].removeprefix(_PREFIX), Period.parse(key["sk"]["S"]))


def open_shard(shard: int) -> str:
    return f"OPEN#{shard}"


def new_account(
    account: AccountKey, committed_usd: Decimal, holds: Mapping[str, Attribute]
) -> dict[str, Attribute]:
    """An open account. The index spreads accounts by subject and sorts them by when they end."""
    shard = crc32(account.subject.encode()) % OPEN_SHARDS
    _, _, end = str(account.period).partition("/")
    return {
        **account_key(account),
        "committed": number(committed_usd),
        "holds": {"M": holds},
        "gsi1pk": text(open_shard(shard)),
        "gsi1sk": text(end if account.period.end is not None else _NEVER),
    }


def hold_name(hold_id: str) -> str:
    """A request's id in 22 characters.

    Raises:
        ValueError: not the id of a request.
    """
    return urlsafe_b64encode(uuid.UUID(hold_id).bytes).decode().rstrip("=")


def hold_entry(account: AccountKey, hold: Hold) -> Attribute:
    """`[amount, deadline]`, then the user's id where the subject does not tell it."""
    entry = [number(hold.amount_usd), number(int(hold.deadline.timestamp()))]
    if _implied_user(account) != hold.user_id:
        entry.append(text(hold.user_id))
    return {"L": entry}


def read_committed(item: Item) -> Decimal:
    return canonical(Decimal(item["committed"]["N"]))


def read_held(item: Item, hold_id: str) -> Decimal | None:
    """The amount of an open hold; None where there is no such hold, or no such account."""
    entry = item.get("holds", {}).get("M", {}).get(hold_name(hold_id))
    return None if entry is None else canonical(Decimal(entry["L"][0]["N"]))


def read_balance(account: AccountKey, item: Item) -> Balance:
    holds = (_read_hold(account, name, entry) for name, entry in item["holds"]["M"].items())
    return Balance(read_committed(item), {hold.hold_id: hold for hold in holds})


def _read_hold(account: AccountKey, name: str, entry: Attribute) -> Hold:
    amount, deadline, *user = entry["L"]
    return Hold(
        hold_id=str(uuid.UUID(bytes=urlsafe_b64decode(name + "=="))),
        amount_usd=canonical(Decimal(amount["N"])),
        deadline=datetime.fromtimestamp(int(deadline["N"]), UTC),
        user_id=_read_user(account, user),
    )


def _read_user(account: AccountKey, user: list[Any]) -> str:
    if user:
        user_id: str = user[0]["S"]
        return user_id
    return _implied_user(account)


def _implied_user(account: AccountKey) -> str:
    """A project's accounts are its own user's, who is named like their subject."""
    if account.subject.startswith(_PROJECT):
        return account.subject
    return account.subject.removeprefix(_USER)
