"""An HTTP proxy that spoils what passes: streams kept back, clocks wrong, answers that lie.

with SpoilingProxy(gateway.url, Spoil(keeps_streams_back=True)) as proxy:
    ...  # proxy.origin
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpx2

from tests.fakes.http_server import HttpServer

if TYPE_CHECKING:
    from tests.fakes.http_server import Exchange

_OWN = frozenset({"connection", "content-length", "host", "transfer-encoding", "accept-encoding"})
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Passing:
    """An answer on its way.

    Attributes:
        path: what was asked for, without a query.
        body: its JSON.
    """

    method: str
    path: str
    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Spoil:
    """What happens to answers.

    Attributes:
        keeps_streams_back: a stream is passed on when it is complete.
        stays: when a caller leaves, the gateway is listened to until its end.
        date: stands in place of the gateway's.
        rewrite: gives status and JSON in place of an answer's; None leaves it as it is.
    """

    keeps_streams_back: bool = False
    stays: bool = False
    date: str | None = None
    rewrite: Callable[[Passing], tuple[int, Any] | None] | None = None


class SpoilingProxy:
    def __init__(self, url: str, spoil: Spoil) -> None:
        self._url = url
        self._spoil = spoil
        self._server = HttpServer(self._pass)

    @property
    def url(self) -> str:
        return self._server.origin

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    async def _pass(self, exchange: Exchange) -> None:
        request = exchange.request
        headers = {name: value for name, value in request.headers.items() if name not in _OWN}
        async with (
            httpx2.AsyncClient(timeout=_TIMEOUT_S) as client,
            client.stream(
                request.method, self._url + request.path, headers=headers, content=request.body
            ) as answer,
        ):
            is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
            if is_stream and not self._spoil.keeps_streams_back:
                await self._pass_stream(exchange, answer)
            else:
                await self._pass_whole(exchange, answer)

    async def _pass_stream(self, exchange: Exchange, answer: httpx2.Response) -> None:
        await exchange.head(answer.status_code, self._headers(answer))
        is_there = True
        async for part in answer.aiter_bytes():
            try:
                if is_there:
                    await exchange.send(part)
            except ConnectionError:
                is_there = False
            if exchange.gone.is_set() and not self._spoil.stays:
                raise ConnectionResetError
        await exchange.end()

    async def _pass_whole(self, exchange: Exchange, answer: httpx2.Response) -> None:
        status, content = answer.status_code, await answer.aread()
        if self._spoil.rewrite is not None and _is_json(answer):
            request = exchange.request
            passing = Passing(request.method, request.route, status, json.loads(content))
            rewritten = self._spoil.rewrite(passing)
            if rewritten is not None:
                status, content = rewritten[0], json.dumps(rewritten[1]).encode()
        await exchange.answer(status, self._headers(answer), content)

    def _headers(self, answer: httpx2.Response) -> dict[str, str]:
        kept = {name: value for name, value in answer.headers.items() if name not in _OWN}
        return {**kept, "date": self._spoil.date or kept.get("date", "")}


def _is_json(answer: httpx2.Response) -> bool:
    return answer.headers.get("content-type", "").startswith("application/json")
