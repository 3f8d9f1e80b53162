"""A provider with OpenAI's API on loopback, over real sockets, that does what a test asks.

In a test's process, on its own thread:

    with FakeOpenAI() as fake:
        fake.behaviours["gpt-4o"] = Behaviour(status=429, retry_after="7")
        ...  # base_url=fake.base_url
        assert fake.last.headers["authorization"] == "Bearer sk-test"

As a process, for gateways in other processes: `python -m tests.fakes.openai_upstream --port 0`
prints its base URL; `GET /_requests` tells what arrived, `DELETE /_requests` forgets it.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tests.fakes import openai_shapes as shapes
from tests.fakes.http_server import Exchange, HttpServer
from tests.fakes.openai_behaviour import Behaviour, behaviour_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator, Mapping

JSON_HEADERS = {"content-type": "application/json", "x-request-id": "req_fake"}
STREAM_HEADERS = {"content-type": "text/event-stream; charset=utf-8", "x-request-id": "req_fake"}
FOREVER_S = 3600.0


class FakeOpenAI(HttpServer):
    """`behaviours` overrides, by model, what the model's name says."""

    def __init__(
        self, *, port: int = 0, idle_timeout_s: float = 60.0, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(self._handle, port=port, idle_timeout_s=idle_timeout_s, tls=tls)
        self.behaviours: dict[str, Behaviour] = {}

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    async def _handle(self, exchange: Exchange) -> None:
        route = exchange.request.route
        if route == "/_requests":
            await self._tell(exchange)
        elif exchange.request.method == "GET" and route.endswith("/models"):
            await exchange.answer(200, JSON_HEADERS, shapes.models_body())
        elif route.endswith(("/chat/completions", "/embeddings")):
            await self._infer(exchange)
        else:
            await exchange.answer(404, JSON_HEADERS, shapes.error_body(404))

    async def _tell(self, exchange: Exchange) -> None:
        self.requests.remove(exchange.request)
        if exchange.request.method == "DELETE":
            self.requests.clear()
        seen = [{**asdict(one), "body": one.body.decode()} for one in self.requests]
        await exchange.answer(200, JSON_HEADERS, json.dumps(seen).encode())

    async def _infer(self, exchange: Exchange) -> None:
        body: dict[str, Any] = exchange.request.json()
        model = body.get("model", "")
        behaviour = self.behaviours.get(model) or behaviour_of(model, body.get("fake"))
        await exchange.pause(FOREVER_S if behaviour.hang else behaviour.delay_s)
        if behaviour.status != 200:
            await _answer_error(exchange, behaviour)
        elif exchange.request.route.endswith("/embeddings"):
            await _answer_plain(exchange, shapes.embeddings_body(body, behaviour), behaviour)
        elif body.get("stream"):
            events = shapes.chat_events(body, behaviour, len(self.requests))
            await _answer_stream(exchange, events, behaviour)
        else:
            answer = shapes.chat_body(body, behaviour, len(self.requests))
            await _answer_plain(exchange, answer, behaviour)


async def _answer_error(exchange: Exchange, behaviour: Behaviour) -> None:
    headers: dict[str, str] = dict(JSON_HEADERS)
    if behaviour.retry_after is not None:
        headers["retry-after"] = behaviour.retry_after
    await exchange.answer(behaviour.status, headers, shapes.error_body(behaviour.status))


async def _answer_plain(exchange: Exchange, body: bytes, behaviour: Behaviour) -> None:
    headers, (body,) = _encoded(JSON_HEADERS, [body], behaviour)
    await exchange.head(200, headers, length=len(body))
    if behaviour.fault in ("rst", "fin", "stall"):
        await exchange.send(body[: behaviour.fault_after])
        await _go_wrong(exchange, behaviour)
        return
    for piece in _pieces(body, behaviour.chunk_bytes):
        await exchange.send(piece)
    await exchange.end()


async def _answer_stream(exchange: Exchange, events: Iterable[bytes], behaviour: Behaviour) -> None:
    headers, events = _encoded(STREAM_HEADERS, list(events), behaviour)
    await exchange.head(200, headers)
    for at, event in enumerate(events):
        if at == behaviour.fault_after and await _go_wrong(exchange, behaviour):
            return
        if at and behaviour.pace_s:
            await exchange.pause(behaviour.pace_s)
        for piece in _pieces(event, behaviour.chunk_bytes):
            await exchange.send(piece)
    await exchange.end()


async def _go_wrong(exchange: Exchange, behaviour: Behaviour) -> bool:
    """Do the scripted fault, and tell whether the answer is over."""
    if behaviour.fault == "rst":
        await asyncio.sleep(0.02)  # a reset may overtake data that was not yet read
        exchange.reset()
    elif behaviour.fault == "fin":
        exchange.hang_up()
    elif behaviour.fault == "stall":
        await exchange.pause(FOREVER_S)
    elif behaviour.fault == "error_event":
        await exchange.send(b"data: " + shapes.error_body(500) + b"\n\n")
        await exchange.end()
    return behaviour.fault not in ("none", "no_done")


def _encoded(
    headers: Mapping[str, str], parts: list[bytes], behaviour: Behaviour
) -> tuple[Mapping[str, str], list[bytes]]:
    if not behaviour.gzip:
        return headers, parts
    return {**headers, "content-encoding": "gzip"}, [gzip.compress(b"".join(parts))]


def _pieces(data: bytes, size: int | None) -> Iterator[bytes]:
    for at in range(0, len(data), size or len(data)):
        yield data[at : at + (size or len(data))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    with FakeOpenAI(port=parser.parse_args().port) as fake:
        print(fake.base_url, flush=True)
        fake.run_until_interrupted()


if __name__ == "__main__":
    main()
