"""The engines of tests and local runs do what the ledger needs of DynamoDB."""

from __future__ import annotations

import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from bursar.store.schema import TABLE


def client_of(endpoint: str) -> Any:
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def test_an_engine_refuses_a_condition_and_returns_the_item_that_failed_it(
    engine_endpoint: str,
) -> None:
    client, name = client_of(engine_endpoint), f"table-{uuid.uuid4().hex}"
    client.create_table(TableName=name, **TABLE)
    key = {"pk": {"S": "account"}, "sk": {"S": "period"}}
    client.put_item(TableName=name, Item={**key, "committed": {"N": "7"}})

    with pytest.raises(ClientError) as refused:
        client.update_item(
            TableName=name,
            Key=key,
            UpdateExpression="SET committed = committed + :hold",
            ConditionExpression="committed <= :most",
            ExpressionAttributeValues={":hold": {"N": "5"}, ":most": {"N": "5"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    assert refused.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert refused.value.response["Item"] == {**key, "committed": {"N": "7"}}
