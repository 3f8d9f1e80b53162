from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from bursar.store.errors import OperationRefused
from bursar.store.schema import OPEN_ACCOUNTS_INDEX, TTL_ATTRIBUTE, ensure_table
from tests.contracts.stores import signed_call

if TYPE_CHECKING:
    from collections.abc import Mapping


async def test_the_table_is_created_once_and_left_alone_after(engine_endpoint: str) -> None:
    call = signed_call(engine_endpoint)
    table_name = f"bursar-{uuid.uuid4().hex}"
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}

    await ensure_table(call, table_name)
    await call("PutItem", {"TableName": table_name, "Item": key})
    await ensure_table(call, table_name)

    table = (await call("DescribeTable", {"TableName": table_name}))["Table"]
    time_to_live = await call("DescribeTimeToLive", {"TableName": table_name})
    kept = await call("GetItem", {"TableName": table_name, "Key": key})
    await call.close()
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == [
        OPEN_ACCOUNTS_INDEX
    ]
    assert time_to_live["TimeToLiveDescription"]["AttributeName"] == TTL_ATTRIBUTE
    assert kept["Item"] == key


async def test_an_engine_that_refuses_is_not_passed_over() -> None:
    async def refuse(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        raise OperationRefused(operation, "AccessDeniedException")

    with pytest.raises(OperationRefused):
        await ensure_table(refuse, "bursar")
