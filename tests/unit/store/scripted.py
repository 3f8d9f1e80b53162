"""A server that speaks DynamoDB's protocol by a script: one step for each request it gets."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zlib import crc32

from bursar.store.connect import connect
from bursar.store.signed_call import Patience
from tests.fakes.http_server import Exchange, HttpServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.store.signed_call import SignedCall

Step = Callable[[Exchange], Awaitable[None]]

QUICK = Patience(base_delay_s=0.001, read_timeout_s=10)
IMPATIENT = replace(QUICK, read_timeout_s=0.8)


def scripted(*steps: Step) -> HttpServer:
    remaining = iter(steps)

    async def follow(exchange: Exchange) -> None:
        await next(remaining)(exchange)

    return HttpServer(follow)


def client_of(server: HttpServer, patience: Patience = QUICK) -> SignedCall:
    return connect({"DYNAMODB_ENDPOINT": server.origin}, patience=patience)


def says(body: Mapping[str, Any], status: int = 200, checksum_off_by: int = 0) -> Step:
    """An answer with its checksum, and with `__type` an error as DynamoDB writes them."""
    data = json.dumps(body).encode()

    async def step(exchange: Exchange) -> None:
        checksum = str(crc32(data) + checksum_off_by)
        await exchange.answer(status, {"x-amz-crc32": checksum}, data)

    return step


def refuses(error_type: str, status: int = 400, **fields: Any) -> Step:
    prefix = "com.amazonaws.dynamodb.v20120810#"
    return says({"__type": prefix + error_type, "message": "no", **fields}, status)


def hangs(seconds: float = 10.0, then: Step | None = None) -> Step:
    async def step(exchange: Exchange) -> None:
        await exchange.pause(seconds)
        if then is not None:
            await then(exchange)

    return step


async def resets(exchange: Exchange) -> None:
    exchange.reset()


async def hangs_up(exchange: Exchange) -> None:
    exchange.hang_up()


async def stops_half_way(exchange: Exchange) -> None:
    await exchange.head(200, {}, length=100)
    await exchange.send(b'{"Item": ')
    exchange.hang_up()


async def speaks_no_http(exchange: Exchange) -> None:
    await exchange.raw(b"220 smtp.example ready\r\n")


def answers_then_hangs_up(body: Mapping[str, Any]) -> Step:
    async def step(exchange: Exchange) -> None:
        await says(body)(exchange)
        exchange.hang_up()

    return step
