"""The books as they are in the engine, read with another client than the gateway's own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Account:
    """An account's item: dollars, and the ids of its open holds as they are stored."""

    subject: str
    committed_usd: Decimal
    holds: tuple[str, ...]


class Books:
    """Reads one table."""

    def __init__(self, endpoint: str, table: str) -> None:
        self._table = table
        self._client = boto3.client(
            "dynamodb",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="reader",
            aws_secret_access_key="reader",
            config=Config(retries={"max_attempts": 3}),
        )

    def close(self) -> None:
        self._client.close()

    def items(self) -> Iterator[dict[str, Any]]:
        """Every item of the table, in DynamoDB's notation."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table, ConsistentRead=True
        )
        for page in pages:
            yield from page["Items"]

    def accounts(self) -> list[Account]:
        """Every account, of every period."""
        return [_account(item) for item in self._of_kind("ACCOUNT#")]

    def account(self, subject: str) -> Account:
        """The account of a subject that has had one period only."""
        (account,) = (one for one in self.accounts() if one.subject == subject)
        return account

    def records(self, user_id: str | None = None) -> list[dict[str, Any]]:
        """Usage records as plain values, of one user or of all."""
        prefix = "USAGE#" if user_id is None else f"USAGE#{user_id}"
        found = [_plain(item) for item in self._of_kind("USAGE#")]
        return [record for record in found if record["pk"].startswith(prefix)]

    def cost_usd(self, user_id: str | None = None) -> Decimal:
        """What the records of a user, or of all, add up to."""
        return sum((record["cost_usd"] for record in self.records(user_id)), Decimal(0))

    def open_holds(self) -> int:
        return sum(len(account.holds) for account in self.accounts())

    def _of_kind(self, prefix: str) -> Iterator[dict[str, Any]]:
        return (item for item in self.items() if item["pk"]["S"].startswith(prefix))


def _account(item: dict[str, Any]) -> Account:
    subject = item["pk"]["S"].removeprefix("ACCOUNT#")
    return Account(subject, Decimal(item["committed"]["N"]), tuple(item["holds"]["M"]))


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(attribute) for name, attribute in item.items()}


def _value(attribute: dict[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    return Decimal(value) if kind == "N" else value
