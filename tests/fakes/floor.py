"""The least that a gateway in Python could do: pass requests on and account for nothing.

Starlette and aiohttp on uvicorn. What the gateway costs is measured against it, in the same run.

    python -m tests.fakes.floor --port 8001 --upstream http://127.0.0.1:9000/v1
"""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING

import aiohttp
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response


class Floor:
    def __init__(self, upstream: str) -> None:
        self._upstream = upstream.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/health", self._health),
                Route("/v1/{path:path}", self._pass_on, methods=["POST"]),
            ],
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
        ) as self._session:
            yield

    async def _health(self, _: Request) -> Response:
        return PlainTextResponse("ok")

    async def _pass_on(self, request: Request) -> Response:
        assert self._session is not None
        answer = await self._session.post(
            f"{self._upstream}/{request.path_params['path']}",
            data=await request.body(),
            headers={"content-type": "application/json", "authorization": "Bearer sk-floor"},
        )
        return StreamingResponse(
            answer.content.iter_any(),
            status_code=answer.status,
            headers={"content-type": answer.headers.get("content-type", "application/json")},
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--upstream", required=True)
    options = parser.parse_args()
    uvicorn.run(
        Floor(options.upstream).app(), port=options.port, log_level="warning", access_log=False
    )


if __name__ == "__main__":
    main()
