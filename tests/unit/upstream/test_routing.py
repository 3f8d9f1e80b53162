from __future__ import annotations

import json

from bursar.domain.upstream import UpstreamRequest
from bursar.upstream.mock import MockAnswer, MockUpstream
from bursar.upstream.routing import ProviderRouter


class Counting:
    """An upstream that counts what it is asked."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.closed = 0

    async def send(self, request: UpstreamRequest) -> MockAnswer:
        self.sent.append(request.provider)
        return await MockUpstream().send(request)

    async def close(self) -> None:
        self.closed += 1


def request_for(provider: str) -> UpstreamRequest:
    body = json.dumps({"model": "m", "input": "x", "dimensions": 1}).encode()
    return UpstreamRequest(provider, "mock://mock/embeddings", {}, body)


async def test_a_request_goes_to_its_providers_upstream_or_else_to_the_default() -> None:
    network, mock = Counting(), Counting()
    router = ProviderRouter(network, {"mock": mock})
    for provider in ("openai", "mock", "groq"):
        assert (await router.send(request_for(provider))).status == 200
    assert (network.sent, mock.sent) == (["openai", "groq"], ["mock"])


async def test_closing_closes_every_upstream() -> None:
    network, mock = Counting(), Counting()
    await ProviderRouter(network, {"mock": mock}).close()
    assert (network.closed, mock.closed) == (1, 1)
