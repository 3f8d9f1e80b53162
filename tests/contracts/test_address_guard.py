"""Every client refuses, when it connects, the addresses that a provider must not stand at."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.errors import UpstreamUnreachable
from bursar.domain.upstream import UpstreamRequest
from bursar.upstream.aiohttp_client import AiohttpUpstream
from bursar.upstream.httpcore2_client import Httpcore2Upstream
from tests.fakes.openai_upstream import FakeOpenAI

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from bursar.ports import Upstream

NAME = "models.rebinding.example"
BODY = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'


@pytest.fixture(params=[AiohttpUpstream, Httpcore2Upstream], ids=["aiohttp", "httpcore2"])
async def upstream(request: pytest.FixtureRequest) -> AsyncIterator[Upstream]:
    made: Upstream = request.param(connect_timeout_s=5.0)
    yield made
    await made.close()


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as started:
        yield started


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets what the name resolves to, for every lookup from now on."""

    def answer(*addresses: str) -> None:
        async def getaddrinfo(
            _loop: object, host: str, port: int, **_options: Any
        ) -> list[tuple[Any, ...]]:
            assert host == NAME
            return [
                (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (it, port))
                for it in addresses
            ]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)

    return answer


async def send(upstream: Upstream, url: str, *, allows_private: bool = False) -> int:
    headers = {"content-type": "application/json"}
    request = UpstreamRequest("mine", url, headers, BODY, 5.0, allows_private=allows_private)
    answer = await upstream.send(request)
    async for _ in answer.chunks():
        pass
    await answer.close()
    return answer.status


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_not_connected_to_unless_it_is_allowed(
    upstream: Upstream, fake: FakeOpenAI, host: str
) -> None:
    url = f"http://{host}:{fake.port}/v1/chat/completions"
    with pytest.raises(UpstreamUnreachable, match="private network") as refused:
        await send(upstream, url)
    assert "allow_private_network" in refused.value.message
    assert "BURSAR_ALLOW_PRIVATE_UPSTREAMS" in refused.value.message
    assert fake.requests == []


async def test_this_machine_is_connected_to_where_it_is_allowed(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    url = f"{fake.base_url}/chat/completions"
    assert await send(upstream, url, allows_private=True) == 200


async def test_a_kept_connection_does_not_lead_where_another_request_must_not_go(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    url = f"{fake.base_url}/chat/completions"
    assert await send(upstream, url, allows_private=True) == 200
    with pytest.raises(UpstreamUnreachable, match="private network"):
        await send(upstream, url)


@pytest.mark.parametrize("address", ["10.0.0.8", "127.0.0.1", "100.64.0.1"])
async def test_a_name_counts_as_what_it_resolves_to(
    upstream: Upstream, fake: FakeOpenAI, resolves: Callable[..., None], address: str
) -> None:
    resolves(address)
    with pytest.raises(UpstreamUnreachable, match="private network"):
        await send(upstream, f"http://{NAME}:{fake.port}/v1/chat/completions")


@pytest.mark.parametrize("allows_private", [False, True])
async def test_a_name_of_the_clouds_metadata_is_never_connected_to(
    upstream: Upstream, resolves: Callable[..., None], *, allows_private: bool
) -> None:
    resolves("169.254.169.254")
    with pytest.raises(UpstreamUnreachable, match="no setting allows"):
        await send(upstream, f"http://{NAME}/latest/meta-data", allows_private=allows_private)


async def test_of_a_names_addresses_only_those_are_tried_that_may_be(
    upstream: Upstream, fake: FakeOpenAI, resolves: Callable[..., None]
) -> None:
    resolves("169.254.169.254", "127.0.0.1")
    url = f"http://{NAME}:{fake.port}/v1/chat/completions"
    assert await send(upstream, url, allows_private=True) == 200
    assert fake.last.headers["host"] == f"{NAME}:{fake.port}"


async def test_a_name_is_looked_at_again_for_every_connection(
    upstream: Upstream, fake: FakeOpenAI, resolves: Callable[..., None]
) -> None:
    """The second answer is the one of a DNS server that wants in."""
    resolves("192.0.2.1")
    url = f"http://{NAME}:{fake.port}/v1/chat/completions"
    for _ in range(2):
        with pytest.raises(UpstreamUnreachable):
            await send(upstream, url)
        resolves("127.0.0.1")
    assert fake.requests == []


async def test_an_address_that_does_not_answer_leaves_the_others_to_be_tried(
    upstream: Upstream, fake: FakeOpenAI, resolves: Callable[..., None]
) -> None:
    resolves("127.0.0.2", "127.0.0.1")
    url = f"http://{NAME}:{fake.port}/v1/chat/completions"
    assert await send(upstream, url, allows_private=True) == 200


async def test_a_name_that_does_not_resolve_is_said_to_be_one(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def getaddrinfo(*_arguments: Any, **_options: Any) -> list[Any]:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    with pytest.raises(UpstreamUnreachable, match="did not resolve"):
        await send(upstream, f"http://{NAME}/v1/chat/completions")
