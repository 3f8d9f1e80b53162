"""Keys, users, budgets, prices and aliases, and the digests by which keys are found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.domain.aliases import Alias
from bursar.domain.budgets import Budget
from bursar.domain.keys import VirtualKey
from bursar.domain.price_history import PriceStatement
from bursar.domain.pricing import Price
from bursar.domain.users import User
from bursar.store.collection import DynamoCollection
from bursar.store.values import text

if TYPE_CHECKING:
    from bursar.store.call import Call

_METADATA = ("metadata",)
_ALIAS_DOCUMENTS = ("targets", "tier_down", *_METADATA)


class DynamoDirectory:
    """The port is `Directory`."""

    def __init__(self, call: Call, table_name: str) -> None:
        self._call = call
        self._table_name = table_name
        self.keys = DynamoCollection(
            call,
            table_name,
            pk="KEY",
            record_type=VirtualKey,
            id_field="key_id",
            documents=_METADATA,
        )
        self.users = DynamoCollection(
            call,
            table_name,
            pk="USER",
            record_type=User,
            id_field="user_id",
            documents=_METADATA,
        )
        self.budgets = DynamoCollection(
            call, table_name, pk="BUDGET", record_type=Budget, id_field="budget_id"
        )
        self.prices = DynamoCollection(
            call, table_name, pk="PRICE", record_type=Price, id_field="model_key"
        )

        self.price_patterns = DynamoCollection(
            call, table_name, pk="PRICE_PATTERN", record_type=Price, id_field="model_key"
        )
        self.aliases = DynamoCollection(
            call,
            table_name,
            pk="ALIAS",
            record_type=Alias,
            id_field="name",
            documents=_ALIAS_DOCUMENTS,
        )

    def price_history(self, model_key: str) -> DynamoCollection[PriceStatement]:
        return DynamoCollection(
            self._call,
            self._table_name,
            pk=f"PRICE_HISTORY#{model_key}",
            record_type=PriceStatement,
            id_field="number",
        )

    async def link_digest(self, digest: str, key_id: str) -> None:
        item = _link_key(digest) | {"key_id": text(key_id)}
        await self._call("PutItem", {"TableName": self._table_name, "Item": item})

    async def unlink_digest(self, digest: str) -> None:
        await self._call("DeleteItem", self._link(digest))

    async def key_id_of(self, digest: str) -> str | None:
        answer = await self._call("GetItem", self._link(digest))
        item = answer.get("Item")
        return item["key_id"]["S"] if item else None

    def _link(self, digest: str) -> dict[str, Any]:
        return {"TableName": self._table_name, "Key": _link_key(digest)}


def _link_key(digest: str) -> dict[str, Any]:
    return {"pk": text(f"DIGEST#{digest}"), "sk": text("LINK")}
