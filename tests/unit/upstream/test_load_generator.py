"""The benchmarks' numbers mean what they say."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.benchmarks.fast_upstream import EVENTS, FastUpstream
from tests.benchmarks.load import Load, Sample, prepared, put_load
from tests.fakes.openai_upstream import FakeOpenAI

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as started:
        yield started


def request(model: str, **fields: Any) -> bytes:
    body = {"model": model, "messages": [], **fields}
    return prepared("/v1/chat/completions", {"authorization": "Bearer x"}, body)


async def test_every_request_is_sent_over_as_many_connections_as_asked(fake: FakeOpenAI) -> None:
    load = await put_load(fake.port, request("m"), concurrency=4, requests=10)
    assert len(load.samples) == len(fake.requests) == 12
    assert {one.connection for one in fake.requests} == {1, 2, 3, 4}
    assert fake.last.headers["authorization"] == "Bearer x"


async def test_latency_and_the_first_event_are_measured_from_the_sending(fake: FakeOpenAI) -> None:
    slow = request("delay-0.1+words-3+slow-0.05+pieces-7", stream=True)
    [sample] = (await put_load(fake.port, slow, concurrency=1, requests=1)).samples
    assert sample.events == 6
    assert 0.1 <= sample.first_event_s <= sample.latency_s - 0.2
    assert sample.latency_s >= 0.1 + 5 * 0.05


async def test_an_answer_that_is_not_200_makes_no_numbers(fake: FakeOpenAI) -> None:
    with pytest.raises(RuntimeError, match="429"):
        await put_load(fake.port, request("error-429"), concurrency=1, requests=1)


async def test_an_answer_that_breaks_off_makes_no_numbers(fake: FakeOpenAI) -> None:
    with pytest.raises(ConnectionError):
        await put_load(fake.port, request("fin-1", stream=True), concurrency=1, requests=1)


@pytest.mark.parametrize("stream", [False, True])
async def test_the_fast_upstream_answers_over_and_over(*, stream: bool) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(FastUpstream, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        asked = request("bench", stream=stream)
        load = await put_load(port, asked, concurrency=2, requests=6)
        assert load.events == (6 * (EVENTS + 3) if stream else 0)


def test_a_share_of_latencies_is_one_that_was_seen() -> None:
    samples = [Sample(200, latency_s, latency_s, 0) for latency_s in (0.003, 0.001, 0.002, 0.004)]
    load = Load(samples, wall_s=2.0)
    assert load.latency_ms(0.5) == 3
    assert load.latency_ms(0.99) == 4
    assert load.requests_per_s == 2
    assert load.first_event_ms == 2.5


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
async def test_the_fast_upstream_streams_every_dialect_with_a_word_an_event(path: str) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(FastUpstream, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        body = {"model": "bench", "stream": True}
        load = await put_load(port, prepared(path, {}, body), concurrency=1, requests=1)
    assert 3 <= load.events - EVENTS <= 8
