from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from bursar.domain.errors import StoreUnavailable
from bursar.store.boto3_call import Boto3Call
from bursar.store.errors import ConditionFailed, OperationRefused
from tests.unit.store.scripted import hangs_up, refuses, says, scripted

if TYPE_CHECKING:
    from tests.fakes.http_server import HttpServer

KEY: dict[str, Any] = {"TableName": "bursar", "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}


def boto3_call(server: HttpServer) -> Boto3Call:
    return Boto3Call(
        boto3.client(
            "dynamodb",
            endpoint_url=server.origin,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}),
        )
    )


async def test_an_operation_keeps_its_low_level_shapes() -> None:
    item = {"Item": {"pk": {"S": "a"}, "n": {"N": "1.5"}}}
    with scripted(says(item)) as server:
        call = boto3_call(server)

        answer = await call("GetItem", KEY)

        await call.close()
    assert answer["Item"] == item["Item"]
    assert server.last.json() == KEY


async def test_a_failed_condition_tells_the_item_as_it_stands() -> None:
    item = {"pk": {"S": "a"}}
    with scripted(refuses("ConditionalCheckFailedException", Item=item)) as server:
        call = boto3_call(server)

        with pytest.raises(ConditionFailed) as failed:
            await call("DeleteItem", KEY)

        await call.close()
    assert failed.value.item == item


async def test_other_errors_are_named_by_their_type() -> None:
    with scripted(refuses("ResourceNotFoundException")) as server:
        call = boto3_call(server)

        with pytest.raises(OperationRefused) as refused:
            await call("GetItem", KEY)

        await call.close()
    assert refused.value.error_type == "ResourceNotFoundException"


async def test_a_lost_answer_makes_the_store_unavailable() -> None:
    with scripted(hangs_up) as server:
        call = boto3_call(server)

        with pytest.raises(StoreUnavailable, match="did not answer GetItem"):
            await call("GetItem", KEY)

        await call.close()
