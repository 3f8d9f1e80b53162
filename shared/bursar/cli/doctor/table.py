"""The gateway's table, read past the gateway with the caller's own AWS identity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.failures import NOT_ALLOWED, WRONG_USAGE, Failed

if TYPE_CHECKING:
    from bursar.cli.stack import StackConnection

Item = Mapping[str, Any]
_PAGE: Final = 500
_BATCH: Final = 100
OPEN_ACCOUNTS_INDEX: Final = "open-accounts"
OPEN_SHARDS: Final = 8


@dataclass(frozen=True)
class TableReader:
    """One table; every read may be some milliseconds old, which costs half.

    Attributes:
        client: boto3's, of DynamoDB.
        where: for people.
    """

    name: str
    where: str
    client: Any = field(repr=False)

    @property
    def about(self) -> int:
        """How many items it has; DynamoDB counts them every six hours."""
        described = self._ask(lambda: self.client.describe_table(TableName=self.name))
        return int(described["Table"].get("ItemCount") or 0)

    def items(self, limit: int) -> Iterator[Item]:
        """Its items, no more than so many, in no order."""
        return islice(self._scan(limit), limit)

    def _scan(self, limit: int) -> Iterator[Item]:
        request: dict[str, Any] = {"TableName": self.name, "Limit": min(_PAGE, limit)}
        while True:
            page = self._ask(lambda: self.client.scan(**request))
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def open_accounts(self) -> Iterator[Item]:
        """The keys of all accounts that are not closed."""
        for shard in range(OPEN_SHARDS):
            yield from self._shard(f"OPEN#{shard}")

    def _shard(self, name: str) -> Iterator[Item]:
        request: dict[str, Any] = {
            "TableName": self.name,
            "IndexName": OPEN_ACCOUNTS_INDEX,
            "KeyConditionExpression": "gsi1pk = :shard",
            "ExpressionAttributeValues": {":shard": {"S": name}},
        }
        while True:
            page = self._ask(lambda: self.client.query(**request))
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def named(self, keys: Iterator[Item]) -> Iterator[Item]:
        """The items of some keys, in no order."""
        names = ({"pk": key["pk"], "sk": key["sk"]} for key in keys)
        while batch := list(islice(names, _BATCH)):
            yield from self._batch(batch)

    def _batch(self, keys: Sequence[Item]) -> Iterator[Item]:
        wanted: Any = {self.name: {"Keys": keys}}
        while wanted:
            found = self._ask(lambda: self.client.batch_get_item(RequestItems=wanted))  # noqa: B023
            yield from found["Responses"].get(self.name, [])
            wanted = found.get("UnprocessedKeys")

    def _ask(self, call: Callable[[], Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (as below)

        try:
            return call()
        except (ClientError, BotoCoreError) as error:
            raise Failed(f"The table {self.name} cannot be read: {error}", NOT_ALLOWED) from None


def table_of_stack(stack: StackConnection) -> TableReader:
    name = stack.outputs["TableName"]
    return TableReader(name, f"of {stack.name}", stack.session.client("dynamodb"))


def table_at(name: str, endpoint: str | None, region: str | None) -> TableReader:
    """A table of an account, or of an engine of one's own.

    Args:
        endpoint: the engine's address; None is AWS.

    Raises:
        Failed: AWS needs a region, or the address is none.
    """
    import boto3  # noqa: PLC0415 (a quarter of a second that only a table costs)
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 (as above)

    session = boto3.Session(region_name=region)
    more: dict[str, Any] = {}
    if endpoint is not None:
        more = {"endpoint_url": endpoint, "region_name": session.region_name or "us-east-1"}
        if session.get_credentials() is None:
            # An engine of one's own asks nobody who they are, but boto3 signs.
            more |= {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    try:
        client = session.client("dynamodb", **more)
    except (BotoCoreError, ValueError) as error:
        raise Failed(f"The table {name} cannot be reached: {error}", WRONG_USAGE) from None
    return TableReader(name, f"at {endpoint or 'AWS'}", client)
