"""Directory reads, kept in memory for a few seconds so that most requests need none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.keys import FOREIGN_KEYS
from bursar.services.fresh import Fresh

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bursar.domain.aliases import Alias
    from bursar.domain.budgets import Budget
    from bursar.domain.keys import VirtualKey
    from bursar.domain.pricing import Price
    from bursar.domain.users import User
    from bursar.ports import Directory


class Lookup:
    """What a request needs to know of the directory.

    Args:
        age_s: how long an answer is good for.
        price: finds the price of a model, by `PriceLookup` where it is not only the directory's.
    """

    def __init__(
        self,
        directory: Directory,
        age_s: float,
        price: Callable[[str], Awaitable[Price | None]] | None = None,
    ) -> None:
        # Whoever guesses keys costs one read a guess, and none for the same guess again.
        self._key_ids: Fresh[str, str] = Fresh(directory.key_id_of, age_s, keeps_absence=True)
        self._keys: Fresh[str, VirtualKey] = Fresh(directory.keys.get, age_s)
        self._users: Fresh[str, User] = Fresh(directory.users.get, age_s)
        self._budgets: Fresh[str, Budget] = Fresh(directory.budgets.get, age_s)
        self._aliases: Fresh[str, Alias] = Fresh(directory.aliases.get, age_s)
        self._prices: Fresh[str, Price] = Fresh(price or directory.prices.get, age_s)

    async def key_of(self, digest: str) -> VirtualKey | None:
        key_id = await self._key_ids.get(digest)
        if key_id is None:
            return None
        key = await self._keys.get(key_id)
        if key is not None and digest not in {key.digest, key.previous_digest}:
            # The key was rotated since, and its new text should work at once.
            key = await self._keys.get_again(key_id)
        return key

    async def has_foreign_keys(self) -> bool:
        """Whether keys of another gateway's format were ever taken over."""
        return await self._key_ids.get(FOREIGN_KEYS) is not None

    async def user(self, user_id: str) -> User | None:
        return await self._users.get(user_id)

    async def budget(self, budget_id: str) -> Budget | None:
        return await self._budgets.get(budget_id)

    async def alias(self, name: str) -> Alias | None:
        return await self._aliases.get(name)

    async def price(self, model_key: str) -> Price | None:
        return await self._prices.get(model_key)
