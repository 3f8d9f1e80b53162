"""Operations carried out by boto3, in threads: the fallback, and the oracle of the signed client.

boto3 is imported by whoever makes the client, so that the data plane does not load it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from bursar.domain.errors import StoreUnavailable
from bursar.store.errors import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping


class Boto3Call:
    """A `Call` on a boto3 DynamoDB client, which does the retrying."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def __call__(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(self._carry_out, operation, request)

    def _carry_out(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        method = getattr(self._client, xform_name(operation))
        try:
            answer: dict[str, Any] = method(**request)
        except ClientError as error:
            raise refusal(operation, error.response, error.response["Error"]["Code"]) from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"DynamoDB did not answer {operation}") from error
        return answer

    async def close(self) -> None:
        self._client.close()
