"""The table: one, with one sparse index. TABLE.md describes what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bursar.store.errors import OperationRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.store.call import Call

OPEN_ACCOUNTS_INDEX: Final = "open-accounts"

TTL_ATTRIBUTE: Final = "purge_at"
"""Unix time in seconds after which an item may disappear. Not named `expires_at`, which a virtual
key's record has as a field: that key must be refused after it, not forgotten."""

TABLE: Final[Mapping[str, Any]] = {
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
        {"AttributeName": "gsi1pk", "AttributeType": "S"},
        {"AttributeName": "gsi1sk", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": OPEN_ACCOUNTS_INDEX,
            "KeySchema": [
                {"AttributeName": "gsi1pk", "KeyType": "HASH"},
                {"AttributeName": "gsi1sk", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
"""The arguments of CreateTable, without the table's name."""


async def ensure_table(call: Call, table_name: str) -> None:
    """Create the table unless it is there. For local engines: deployments have a template.

    Raises:
        StoreUnavailable: the engine cannot be reached or refuses.
    """
    try:
        await call("CreateTable", {"TableName": table_name, **TABLE})
    except OperationRefused as refused:
        if refused.error_type != "ResourceInUseException":
            raise
        return
    await call(
        "UpdateTimeToLive",
        {
            "TableName": table_name,
            "TimeToLiveSpecification": {"AttributeName": TTL_ATTRIBUTE, "Enabled": True},
        },
    )
