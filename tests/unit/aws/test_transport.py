from __future__ import annotations

import asyncio

from bursar.aws.transport import Origin, Pool
from tests.fakes.http_server import Exchange, HttpServer

REQUEST = b"POST / HTTP/1.1\r\nhost: db\r\ncontent-length: 0\r\n\r\n"


async def answer_slowly(exchange: Exchange) -> None:
    await exchange.pause(0.01)
    await exchange.answer(200, {}, b"")


async def answer_and_close(exchange: Exchange) -> None:
    await exchange.answer(200, {"connection": "close"}, b"")


async def test_no_more_connections_are_made_than_allowed() -> None:
    with HttpServer(answer_slowly) as server:
        pool = Pool(Origin.of(server.origin), connections_max=3)

        answers = await asyncio.gather(*(pool.exchange(REQUEST) for _ in range(20)))

        pool.close()
    assert {answer.status for answer in answers} == {200}
    assert server.connections == 3


async def test_a_connection_unused_for_too_long_is_not_trusted() -> None:
    with HttpServer(answer_slowly) as server:
        pool = Pool(Origin.of(server.origin), idle_max_s=0.0)
        for _ in range(3):
            await pool.exchange(REQUEST)
        pool.close()

    assert server.connections == 3


async def test_a_connection_the_server_says_it_closes_is_not_kept() -> None:
    with HttpServer(answer_and_close) as server:
        pool = Pool(Origin.of(server.origin))
        for _ in range(3):
            await pool.exchange(REQUEST)
        pool.close()

    assert [request.connection for request in server.requests] == [1, 2, 3]


async def test_a_cancelled_request_gives_its_place_to_another() -> None:
    async def hang_first(exchange: Exchange) -> None:
        await exchange.pause(600 if len(server.requests) == 1 else 0)
        await exchange.answer(200, {}, b"")

    with HttpServer(hang_first) as server:
        pool = Pool(Origin.of(server.origin), connections_max=1)
        cancelled = asyncio.ensure_future(pool.exchange(REQUEST))
        assert await server.until(lambda: len(server.requests) == 1)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)

        answer = await asyncio.wait_for(pool.exchange(REQUEST), 60)

        pool.close()
    assert answer.status == 200
