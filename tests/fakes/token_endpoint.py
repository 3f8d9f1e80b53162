"""A provider and its token endpoint in memory: who was asked, with what, and how often."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from bursar.domain.errors import UpstreamError
    from bursar.domain.upstream import UpstreamRequest


@dataclass
class PlainAnswer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    is_closed: bool = False

    async def chunks(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.body), 1024):
            yield self.body[at : at + 1024]

    async def close(self) -> None:
        self.is_closed = True


class TokenWorld:
    """An upstream whose token endpoints answer with tokens of their own, numbered from 1.

    Attributes:
        exchanges: what token endpoints were sent.
        calls: what providers were sent.
        withdrawn: tokens that providers refuse.
        failure: raised instead of any exchange.
        status, body: of the token endpoints' next answers, if not a new token's.
        impersonation: what is answered to who wants to act as a service account, likewise.
    """

    def __init__(self, *, lifetime_s: float = 3600) -> None:
        self.lifetime_s = lifetime_s
        self.now_s = 1_790_000_000.0
        self.exchanges: list[UpstreamRequest] = []
        self.calls: list[UpstreamRequest] = []
        self.answers: list[PlainAnswer] = []
        self.withdrawn: set[str] = set()
        self.failure: UpstreamError | None = None
        self.status = 200
        self.body: bytes | None = None
        self.impersonation: bytes | None = None
        self.is_closed = False

    def clock(self) -> float:
        return self.now_s

    @property
    def forms(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(it.body.decode())) for it in self.exchanges]

    async def send(self, request: UpstreamRequest) -> PlainAnswer:
        await asyncio.sleep(0.001)
        if request.provider.endswith("token endpoint"):
            return self._exchanged(request)
        self.calls.append(request)
        refused = request.headers.get("authorization") in {f"Bearer {it}" for it in self.withdrawn}
        answer = PlainAnswer(401 if refused else 200, b"{}")
        self.answers.append(answer)
        return answer

    async def close(self) -> None:
        self.is_closed = True

    def _exchanged(self, request: UpstreamRequest) -> PlainAnswer:
        self.exchanges.append(request)
        if self.failure is not None:
            raise self.failure
        token = f"token-{len(self.exchanges)}"
        if request.url.endswith(":generateAccessToken"):
            expires = datetime.fromtimestamp(self.now_s + self.lifetime_s, UTC)
            impersonated = {"accessToken": token, "expireTime": expires.isoformat()}
            return PlainAnswer(200, self.impersonation or json.dumps(impersonated).encode())
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime_s}
        return PlainAnswer(self.status, self.body or json.dumps(answer).encode())
