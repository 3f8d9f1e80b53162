from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contracts.stores import boto3_call, dynamo_ports, memory_ports, new_table, signed_call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.contracts.stores import Ports


@pytest.fixture(
    params=["memory", "signed on dynoxide", "signed on dynamodb_local", "boto3 on dynoxide"]
)
async def ports(request: pytest.FixtureRequest) -> AsyncIterator[Ports]:
    """The ports of each store in turn: in memory, and on each engine through each client."""
    client, _, engine = request.param.partition(" on ")
    if client == "memory":
        yield memory_ports()
        return
    endpoint = request.getfixturevalue(engine)
    call = signed_call(endpoint) if client == "signed" else boto3_call(endpoint)
    yield dynamo_ports(call, await new_table(call))
    await call.close()
