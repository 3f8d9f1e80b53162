"""Directory reads, kept in memory for a few seconds so that most requests need none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from bursar.domain.aliases import Alias
    from bursar.domain.budgets import Budget
    from bursar.domain.keys import VirtualKey
    from bursar.domain.pricing import Price
    from bursar.domain.users import User
    from bursar.ports import Directory

IdT = TypeVar("IdT", bound="Hashable")
ValueT = TypeVar("ValueT")

_ENTRIES_MAX = 10_000


class Fresh(Generic[IdT, ValueT]):
    """Values by id, read again once they are older than `age_s`.

    Args:
        read: asks the directory.
        age_s: how long an answer is good for.
        keeps_absence: remember as well that there is none. Not for what an administrator adds
            because it was missed, which should be there at once.
        monotonic: tells the time.
    """

    def __init__(
        self,
        read: Callable[[IdT], Awaitable[ValueT | None]],
        age_s: float,
        *,
        keeps_absence: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._age_s = age_s
        self._keeps_absence = keeps_absence
        self._monotonic = monotonic
        self._kept: dict[IdT, tuple[float, ValueT | None]] = {}

    async def get(self, record_id: IdT) -> ValueT | None:
        now = self._monotonic()
        kept = self._kept.get(record_id)
        if kept is not None and now < kept[0]:
            return kept[1]
        return await self.get_again(record_id)

    async def get_again(self, record_id: IdT) -> ValueT | None:
        """Read a value whatever is kept of it."""
        now = self._monotonic()
        value = await self._read(record_id)
        if value is None and not self._keeps_absence:
            return None
        if len(self._kept) >= _ENTRIES_MAX:
            self._kept.clear()
        self._kept[record_id] = (now + self._age_s, value)
        return value

    def forget(self, record_id: IdT) -> None:
        """Read a value the next time that it is asked for."""
        self._kept.pop(record_id, None)


class Lookup:
    """What a request needs to know of the directory."""

    def __init__(self, directory: Directory, age_s: float) -> None:
        # Whoever guesses keys costs one read a guess, and none for the same guess again.
        self._key_ids: Fresh[str, str] = Fresh(directory.key_id_of, age_s, keeps_absence=True)
        self._keys: Fresh[str, VirtualKey] = Fresh(directory.keys.get, age_s)
        self._users: Fresh[str, User] = Fresh(directory.users.get, age_s)
        self._budgets: Fresh[str, Budget] = Fresh(directory.budgets.get, age_s)
        self._aliases: Fresh[str, Alias] = Fresh(directory.aliases.get, age_s)
        self._prices: Fresh[str, Price] = Fresh(directory.prices.get, age_s)

    async def key_of(self, digest: str) -> VirtualKey | None:
        key_id = await self._key_ids.get(digest)
        if key_id is None:
            return None
        key = await self._keys.get(key_id)
        if key is not None and digest not in {key.digest, key.previous_digest}:
            # The key was rotated since, and its new text should work at once.
            key = await self._keys.get_again(key_id)
        return key

    async def user(self, user_id: str) -> User | None:
        return await self._users.get(user_id)

    async def budget(self, budget_id: str) -> Budget | None:
        return await self._budgets.get(budget_id)

    async def alias(self, name: str) -> Alias | None:
        return await self._aliases.get(name)

    async def price(self, model_key: str) -> Price | None:
        return await self._prices.get(model_key)
