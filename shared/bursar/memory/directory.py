from __future__ import annotations

from collections import defaultdict

from bursar.domain.aliases import Alias
from bursar.domain.budgets import Budget
from bursar.domain.keys import VirtualKey
from bursar.domain.price_history import PriceStatement
from bursar.domain.pricing import Price
from bursar.domain.users import User
from bursar.memory.collection import MemoryCollection


class MemoryDirectory:
    """The directory in memory; the port is `Directory`."""

    def __init__(self) -> None:
        self.keys = MemoryCollection(VirtualKey, "key_id")
        self.users = MemoryCollection(User, "user_id")
        self.budgets = MemoryCollection(Budget, "budget_id")
        self.prices = MemoryCollection(Price, "model_key")
        self.price_patterns = MemoryCollection(Price, "model_key")
        self._price_history = defaultdict[str, MemoryCollection[PriceStatement]](
            lambda: MemoryCollection(PriceStatement, "number")
        )
        self.aliases = MemoryCollection(Alias, "name")
        self._key_ids: dict[str, str] = {}

    def price_history(self, model_key: str) -> MemoryCollection[PriceStatement]:
        return self._price_history[model_key]

    async def link_digest(self, digest: str, key_id: str) -> None:
        self._key_ids[digest] = key_id

    async def unlink_digest(self, digest: str) -> None:
        self._key_ids.pop(digest, None)

    async def key_id_of(self, digest: str) -> str | None:
        return self._key_ids.get(digest)
