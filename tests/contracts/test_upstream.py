"""What the gateway relies on in the HTTP hop, held by every client over real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from bursar.domain.errors import UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from bursar.domain.upstream import UpstreamRequest
from bursar.upstream.aiohttp_client import AiohttpUpstream
from bursar.upstream.httpcore2_client import Httpcore2Upstream
from tests.fakes.certificates import certificate_for_loopback
from tests.fakes.fault_proxy import Fault, FaultProxy
from tests.fakes.http_server import Exchange, HttpServer
from tests.fakes.openai_upstream import FakeOpenAI

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from bursar.ports import Upstream, UpstreamAnswer

SECRET = "sk-canary-0123456789"


class MakeUpstream(Protocol):
    def __call__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        connect_timeout_s: float = 10.0,
        keep_alive_s: float = 30.0,
    ) -> Upstream: ...


@pytest.fixture(params=[AiohttpUpstream, Httpcore2Upstream], ids=["aiohttp", "httpcore2"])
def make_upstream(request: pytest.FixtureRequest) -> MakeUpstream:
    made: MakeUpstream = request.param
    return made


@pytest.fixture
async def upstream(make_upstream: MakeUpstream) -> AsyncIterator[Upstream]:
    made = make_upstream()
    yield made
    await made.close()


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as started:
        yield started


def request_to(
    base_url: str, model: str, *, idle_timeout_s: float = 5.0, **fields: Any
) -> UpstreamRequest:
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **fields}
    return UpstreamRequest(
        provider="openai",
        url=f"{base_url}/chat/completions?api-key={SECRET}",
        headers={"authorization": f"Bearer {SECRET}", "content-type": "application/json"},
        body=json.dumps(body).encode(),
        idle_timeout_s=idle_timeout_s,
        allows_private=True,
    )


async def body_of(answer: UpstreamAnswer) -> bytes:
    return b"".join([chunk async for chunk in answer.chunks()])


async def exhaust(chunks: AsyncIterator[bytes]) -> None:
    await collect(chunks, [])


async def collect(chunks: AsyncIterator[bytes], into: list[bytes]) -> None:
    async for chunk in chunks:
        into.append(chunk)  # noqa: PERF401 - what came before an exception counts


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def says_no_secret(error: BaseException) -> bool:
    """Nor does anything that a traceback would print with it: it stands alone."""
    alone = error.__cause__ is None and (error.__suppress_context__ or error.__context__ is None)
    return alone and SECRET not in str(error) + repr(error)


async def test_status_headers_and_body_bytes_arrive_as_they_were_sent(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    answer = await upstream.send(request_to(fake.base_url, "exact-7", max_tokens=3))
    body = await body_of(answer)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] == "req_fake"
    assert int(answer.headers["content-length"]) == len(body)
    assert json.loads(body)["usage"]["prompt_tokens"] == 7


async def test_the_request_arrives_with_its_headers_and_its_very_bytes(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    request = request_to(fake.base_url, "gpt-4o", unknown={"kept": [1.0, "é"]})
    await body_of(await upstream.send(request))
    seen = fake.last
    assert seen.method == "POST"
    assert seen.path == f"/v1/chat/completions?api-key={SECRET}"
    assert seen.body == request.body
    assert seen.headers["authorization"] == f"Bearer {SECRET}"
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["host"] == f"127.0.0.1:{fake.port}"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["user-agent"] == "bursar"
    assert int(seen.headers["content-length"]) == len(request.body)


@pytest.mark.parametrize("path", ["/a%2Fb%7Ec/v1?x=%20y", "/openai/deployments/gpt-4o%3Aeu"])
async def test_the_url_is_asked_for_as_it_is_written(
    upstream: Upstream, fake: FakeOpenAI, path: str
) -> None:
    request = UpstreamRequest("openai", fake.origin + path, {}, b"{}", allows_private=True)
    await body_of(await upstream.send(request))
    assert fake.last.path == path


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_an_error_status_is_an_answer_and_not_an_exception(
    upstream: Upstream, fake: FakeOpenAI, status: int
) -> None:
    answer = await upstream.send(request_to(fake.base_url, f"error-{status}+retryafter-7"))
    assert answer.status == status
    assert answer.headers["retry-after"] == "7"
    assert "error" in json.loads(await body_of(answer))


async def test_a_stream_arrives_event_by_event_and_not_at_its_end(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    seen = [b""]
    events = [b"data: %d\n\n" % number for number in range(4)]

    async def one_once_the_last_is_seen(exchange: Exchange) -> None:
        await exchange.head(200, {"content-type": "text/event-stream"})
        for event in events:
            await exchange.send(event)
            while seen[-1] != event:
                await exchange.pause(0.005)
        await exchange.end()

    with HttpServer(one_once_the_last_is_seen) as server:
        answer = await upstream.send(request_to(server.origin, "m", stream=True))
        async with asyncio.timeout(60):
            async for chunk in answer.chunks():
                seen.append(chunk)  # noqa: PERF401 (the provider waits for each)
    assert seen[1:] == events


async def test_the_head_arrives_before_the_first_byte_of_the_body(
    make_upstream: MakeUpstream,
) -> None:
    let_go = threading.Event()

    async def head_first(exchange: Exchange) -> None:
        await exchange.head(200, {"x-early": "yes"})
        await asyncio.to_thread(let_go.wait)
        await exchange.send(b"late")
        await exchange.end()

    upstream = make_upstream()
    with HttpServer(head_first) as server:
        answer = await asyncio.wait_for(upstream.send(request_to(server.origin, "m")), 60)
        assert answer.headers["x-early"] == "yes"
        let_go.set()
        assert await body_of(answer) == b"late"
    await upstream.close()


@pytest.mark.parametrize("stream", [False, True])
async def test_single_bytes_make_the_same_body(
    upstream: Upstream, fake: FakeOpenAI, *, stream: bool
) -> None:
    whole = await upstream.send(request_to(fake.base_url, "words-2", stream=stream))
    expected = await body_of(whole)
    pieces = await upstream.send(request_to(fake.base_url, "words-2+pieces-1", stream=stream))
    got = await body_of(pieces)
    assert len(got) > 200
    assert _without_names(got) == _without_names(expected)


def _without_names(body: bytes) -> bytes:
    return (
        body.replace(b"+pieces-1", b"")
        .replace(b"chatcmpl-fake1", b"chatcmpl")
        .replace(b"chatcmpl-fake2", b"chatcmpl")
    )


@pytest.mark.parametrize("stream", [False, True])
async def test_gzip_that_nobody_asked_for_is_undone(
    upstream: Upstream, fake: FakeOpenAI, *, stream: bool
) -> None:
    answer = await upstream.send(request_to(fake.base_url, "gzip+pieces-3", stream=stream))
    body = await body_of(answer)
    assert "content-encoding" not in answer.headers
    assert "content-length" not in answer.headers
    assert body.startswith(b"data: {" if stream else b'{"id"')


@pytest.mark.parametrize(
    ("encoding", "body"), [("br", b"anything"), ("gzip", b"not gzip at all"), ("gzip", b"\x1f\x8b")]
)
async def test_an_encoding_that_cannot_be_undone_is_a_broken_answer(
    upstream: Upstream, encoding: str, body: bytes
) -> None:
    async def encoded(exchange: Exchange) -> None:
        await exchange.answer(200, {"content-encoding": encoding}, body)

    with HttpServer(encoded) as server:
        answer = await upstream.send(request_to(server.origin, "m"))
        with pytest.raises(UpstreamBroken):
            await body_of(answer)
        await answer.close()


async def test_a_redirect_is_an_answer_and_not_followed(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    async def elsewhere(exchange: Exchange) -> None:
        await exchange.answer(302, {"location": fake.base_url}, b"")

    with HttpServer(elsewhere) as server:
        answer = await upstream.send(request_to(server.origin, "m"))
        assert answer.status == 302
        assert await body_of(answer) == b""
    assert fake.requests == []


async def test_a_refused_connection_is_unreachable(upstream: Upstream) -> None:
    with pytest.raises(UpstreamUnreachable, match="refused") as failure:
        await upstream.send(request_to(f"http://127.0.0.1:{free_port()}/v1", "m"))
    assert says_no_secret(failure.value)


async def test_a_name_that_does_not_resolve_is_unreachable(upstream: Upstream) -> None:
    with pytest.raises(UpstreamUnreachable, match="did not resolve") as failure:
        await upstream.send(request_to("http://bursar.invalid/v1", "m"))
    assert says_no_secret(failure.value)


async def test_a_resolver_that_does_not_answer_is_unreachable_in_time(
    make_upstream: MakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = asyncio.Event()

    async def silent(*_: Any, **__: Any) -> list[Any]:
        await answered.wait()
        return []

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", silent)
    upstream = make_upstream(connect_timeout_s=0.1)
    async with asyncio.timeout(10):
        with pytest.raises(UpstreamUnreachable, match="too long"):
            await upstream.send(request_to("http://slow.example/v1", "m"))
    answered.set()
    await upstream.close()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/v1", "http://", "mock://mock"])
async def test_a_url_that_is_not_http_is_unreachable(upstream: Upstream, url: str) -> None:
    with pytest.raises(UpstreamUnreachable) as failure:
        await upstream.send(request_to(url, "m"))
    assert says_no_secret(failure.value)


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\0b"])
async def test_a_header_that_would_be_two_is_not_sent(
    upstream: Upstream, fake: FakeOpenAI, value: str
) -> None:
    request = request_to(fake.base_url, "m")
    forged = replace(request, headers={**request.headers, "x-asked": f"{SECRET}{value}"})
    with pytest.raises(UpstreamUnreachable, match="cannot be sent") as failure:
        await upstream.send(forged)
    assert says_no_secret(failure.value)
    answer = await upstream.send(request)
    await body_of(answer)
    await answer.close()
    assert len(fake.requests) == 1


async def test_a_connection_that_nobody_accepts_is_unreachable_in_time(
    make_upstream: MakeUpstream,
) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:  # fill the queue of connections that were not accepted
            one.settimeout(0)
            one.connect_ex(("127.0.0.1", port))
        upstream = make_upstream(connect_timeout_s=0.2)
        with pytest.raises(UpstreamUnreachable, match="too long"):
            async with asyncio.timeout(60):
                await upstream.send(request_to(f"http://127.0.0.1:{port}", "m"))
        await upstream.close()
        for one in waiting:
            one.close()


async def test_silence_before_the_head_is_a_timeout(upstream: Upstream, fake: FakeOpenAI) -> None:
    with pytest.raises(UpstreamTimeout, match=r"0\.2 s") as failure:
        await upstream.send(request_to(fake.base_url, "hang", idle_timeout_s=0.2))
    assert says_no_secret(failure.value)
    assert await fake.until(lambda: fake.last.disconnected)


@pytest.mark.parametrize("stream", [False, True])
async def test_silence_in_the_body_is_a_timeout(
    upstream: Upstream, fake: FakeOpenAI, *, stream: bool
) -> None:
    answer = await upstream.send(
        request_to(fake.base_url, "stall-2", stream=stream, idle_timeout_s=0.6)
    )
    with pytest.raises(UpstreamTimeout) as failure:
        await body_of(answer)
    await answer.close()
    assert says_no_secret(failure.value)
    assert await fake.until(lambda: fake.last.disconnected)


async def test_a_slow_stream_is_no_timeout_as_long_as_bytes_come(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    answer = await upstream.send(
        request_to(fake.base_url, "words-12+slow-0.1", stream=True, idle_timeout_s=1)
    )
    assert (await body_of(answer)).endswith(b"[DONE]\n\n")


async def test_a_slow_reader_is_no_timeout(upstream: Upstream, fake: FakeOpenAI) -> None:
    request = request_to(fake.base_url, "words-12+slow-0.1", stream=True, idle_timeout_s=1)
    answer = await upstream.send(request)
    read = []
    async for chunk in answer.chunks():
        read.append(chunk)
        if len(read) == 2:
            await asyncio.sleep(1.2)
    await answer.close()
    assert b"".join(read).endswith(b"[DONE]\n\n")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["rst-2", "fin-2"])
async def test_a_body_that_ends_too_early_is_broken(
    upstream: Upstream, fake: FakeOpenAI, fault: str, *, stream: bool
) -> None:
    answer = await upstream.send(request_to(fake.base_url, fault, stream=stream))
    chunks = answer.chunks()
    assert await anext(chunks)
    with pytest.raises(UpstreamBroken) as failure:
        await exhaust(chunks)
    await answer.close()
    assert says_no_secret(failure.value)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["rst", "fin", "stall"])
async def test_what_came_before_the_failure_is_read_before_the_failure(
    upstream: Upstream, fake: FakeOpenAI, fault: str, *, stream: bool
) -> None:
    request = request_to(fake.base_url, f"{fault}-3", stream=stream, idle_timeout_s=0.6)
    answer = await upstream.send(request)
    await asyncio.sleep(0.4)  # the failure is here before anybody reads
    got: list[bytes] = []
    with pytest.raises((UpstreamBroken, UpstreamTimeout)):
        await collect(answer.chunks(), got)
    await answer.close()
    whole = b"".join(got)
    assert whole.count(b"data: ") == 3 if stream else whole == b'{"i'


@pytest.mark.parametrize("end", [Exchange.hang_up, Exchange.reset], ids=["fin", "rst"])
async def test_a_head_with_a_body_that_breaks_off_in_one_packet_is_an_answer_that_breaks_off(
    upstream: Upstream, end: Callable[[Exchange], None]
) -> None:
    async def all_at_once(exchange: Exchange) -> None:
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        await exchange.raw(head + b"5\r\nhello\r\n")
        end(exchange)

    got: list[bytes] = []
    with HttpServer(all_at_once) as server:
        answer = await upstream.send(request_to(server.origin, "m"))
        with pytest.raises(UpstreamBroken):
            await collect(answer.chunks(), got)
        await answer.close()
    assert (answer.status, b"".join(got)) == (200, b"hello")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(reset_after_bytes=0),
        Fault(end_after_bytes=0),
        Fault(reset_after_bytes=20),
        Fault(end_after_bytes=20),
    ],
    ids=str,
)
async def test_a_connection_that_ends_before_the_head_is_broken_and_not_tried_again(
    upstream: Upstream, fake: FakeOpenAI, fault: Fault
) -> None:
    with FaultProxy(fake.port, fault) as proxy:
        with pytest.raises(UpstreamBroken) as failure:
            await upstream.send(request_to(f"http://127.0.0.1:{proxy.port}/v1", "m"))
        assert says_no_secret(failure.value)
    assert len(fake.requests) == 1


async def test_bytes_that_are_no_http_are_broken(upstream: Upstream) -> None:
    async def nonsense(exchange: Exchange) -> None:
        await exchange.raw(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
        exchange.hang_up()

    with HttpServer(nonsense) as server, pytest.raises(UpstreamBroken):
        await upstream.send(request_to(server.origin, "m"))


async def test_latency_and_packets_of_a_few_bytes_change_nothing(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    with FaultProxy(fake.port, Fault(piece_bytes=7, latency_s=0.001)) as proxy:
        answer = await upstream.send(
            request_to(f"http://127.0.0.1:{proxy.port}/v1", "words-3", stream=True)
        )
        body = await body_of(answer)
    assert body.count(b"data: ") == 6
    assert body.endswith(b"data: [DONE]\n\n")


async def test_closing_half_way_closes_the_connection_so_that_the_provider_sees_it(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    answer = await upstream.send(request_to(fake.base_url, "words-100+slow-0.02", stream=True))
    chunks = answer.chunks()
    assert await anext(chunks)
    await answer.close()
    await answer.close()
    assert await fake.until(lambda: fake.last.disconnected)


async def test_a_cancelled_reader_that_closes_cancels_the_provider(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    answer = await upstream.send(request_to(fake.base_url, "stall-2", stream=True))

    async def read() -> None:
        try:
            await body_of(answer)
        finally:
            await answer.close()

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await fake.until(lambda: fake.last.disconnected)


async def test_a_cancelled_send_cancels_the_provider(upstream: Upstream, fake: FakeOpenAI) -> None:
    sending = asyncio.create_task(upstream.send(request_to(fake.base_url, "hang")))
    assert await fake.until(lambda: len(fake.requests) == 1)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert await fake.until(lambda: fake.last.disconnected)


async def test_an_answer_read_to_its_end_gives_its_connection_to_the_next(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    for stream in (False, True, False):
        answer = await upstream.send(request_to(fake.base_url, "m", stream=stream))
        await body_of(answer)
        await answer.close()
    assert {one.connection for one in fake.requests} == {1}


@pytest.mark.parametrize("gap_s", [0, 0.005])
async def test_a_stream_left_at_its_last_event_gives_its_connection_to_the_next(
    upstream: Upstream, gap_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bursar.upstream.answer._LOOK_FOR_END_S", 60)

    async def one_event(exchange: Exchange) -> None:
        await exchange.head(200, {"content-type": "text/event-stream"})
        await exchange.send(b"data: [DONE]\n\n")
        await exchange.pause(gap_s)
        await exchange.end()

    with HttpServer(one_event) as server:
        for _ in range(3):
            answer = await upstream.send(request_to(server.origin, "m"))
            assert await anext(answer.chunks()) == b"data: [DONE]\n\n"
            await answer.close()
        assert [one.connection for one in server.requests] == [1, 1, 1]


async def test_closing_does_not_wait_long_for_an_end_that_does_not_come(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    answer = await upstream.send(request_to(fake.base_url, "stall-1", stream=True))
    await anext(answer.chunks())
    async with asyncio.timeout(60):
        await answer.close()
    assert await fake.until(lambda: fake.last.disconnected)


async def test_closing_while_another_task_reads_ends_that_and_the_connection(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    answer = await upstream.send(request_to(fake.base_url, "stall-1", stream=True))
    reading = asyncio.create_task(body_of(answer))
    await asyncio.sleep(0.05)
    await answer.close()
    with pytest.raises(UpstreamBroken):
        await asyncio.wait_for(reading, 60)
    assert await fake.until(lambda: fake.last.disconnected)


async def test_a_closed_answer_has_no_more_chunks(upstream: Upstream, fake: FakeOpenAI) -> None:
    answer = await upstream.send(request_to(fake.base_url, "words-50+slow-0.01", stream=True))
    chunks = answer.chunks()
    await anext(chunks)
    await answer.close()
    assert [chunk async for chunk in chunks] == []


async def test_a_connection_closed_half_way_is_not_used_again(
    upstream: Upstream, fake: FakeOpenAI
) -> None:
    answer = await upstream.send(request_to(fake.base_url, "stall-1", stream=True))
    await anext(answer.chunks())
    await answer.close()
    await body_of(await upstream.send(request_to(fake.base_url, "m")))
    assert [one.connection for one in fake.requests] == [1, 2]


async def test_a_connection_that_the_provider_closed_while_idle_is_not_used(
    upstream: Upstream,
) -> None:
    with FakeOpenAI(idle_timeout_s=0.1) as fake:
        await body_of(await upstream.send(request_to(fake.base_url, "m")))
        assert await fake.until(lambda: fake.closed == 1)
        await body_of(await upstream.send(request_to(fake.base_url, "m")))
        assert [one.connection for one in fake.requests] == [1, 2]


async def test_a_connection_closed_while_the_process_was_frozen_is_not_used(
    upstream: Upstream,
) -> None:
    with FakeOpenAI(idle_timeout_s=0.1) as fake:
        await body_of(await upstream.send(request_to(fake.base_url, "m")))
        time.sleep(1.2)  # noqa: ASYNC251 - a frozen process is the point
        assert fake.wait_until(lambda: fake.closed == 1)
        await body_of(await upstream.send(request_to(fake.base_url, "m")))
        assert [one.connection for one in fake.requests] == [1, 2]


async def test_a_kept_connection_that_breaks_under_a_request_is_not_tried_again(
    upstream: Upstream,
) -> None:
    async def second_time_unlucky(exchange: Exchange) -> None:
        if len(server.requests) == 2:
            exchange.reset()
        else:
            await exchange.answer(200, {}, b"fine")

    with HttpServer(second_time_unlucky) as server:
        await body_of(await upstream.send(request_to(server.origin, "m")))
        with pytest.raises(UpstreamBroken):
            await upstream.send(request_to(server.origin, "m"))
        assert [one.connection for one in server.requests] == [1, 1]


async def test_connections_at_once_are_not_limited(upstream: Upstream) -> None:
    at_once = 150

    async def together(exchange: Exchange) -> None:
        while len(server.requests) < at_once:
            await exchange.pause(0.01)
        await exchange.answer(200, {}, b"together")

    async def one() -> bytes:
        return await body_of(await upstream.send(request_to(server.origin, "m")))

    with HttpServer(together) as server:
        bodies = await asyncio.wait_for(asyncio.gather(*(one() for _ in range(at_once))), 60)
    assert set(bodies) == {b"together"}


async def test_bodies_of_several_megabytes_pass_both_ways(upstream: Upstream) -> None:
    async def echo(exchange: Exchange) -> None:
        await exchange.answer(200, {}, exchange.request.body)

    big = request_to("http://to-be-replaced", "m", data="x" * 6_000_000)
    with HttpServer(echo) as server:
        request = UpstreamRequest(
            "openai", server.origin, big.headers, big.body, allows_private=True
        )
        assert await body_of(await upstream.send(request)) == big.body


async def test_a_reader_that_is_slow_does_not_lose_or_hoard_bytes(upstream: Upstream) -> None:
    piece = bytes(range(256)) * 256

    async def pour(exchange: Exchange) -> None:
        await exchange.head(200, {})
        for _ in range(200):
            await exchange.send(piece)
        await exchange.end()

    with HttpServer(pour) as server:
        answer = await upstream.send(request_to(server.origin, "m"))
        chunks = answer.chunks()
        got = len(await anext(chunks))
        await asyncio.sleep(0.5)
        assert not server.last.finished
        got += sum([len(chunk) async for chunk in chunks])
    assert got == 200 * len(piece)


async def test_no_cookie_is_kept(upstream: Upstream) -> None:
    async def bake(exchange: Exchange) -> None:
        await exchange.answer(200, {"set-cookie": "a=1; Path=/"}, b"")

    with HttpServer(bake) as server:
        for _ in range(2):
            await body_of(await upstream.send(request_to(server.origin, "m")))
        assert all("cookie" not in one.headers for one in server.requests)


async def test_repeated_headers_are_joined(upstream: Upstream) -> None:
    async def twice(exchange: Exchange) -> None:
        await exchange.raw(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n")

    with HttpServer(twice) as server:
        answer = await upstream.send(request_to(server.origin, "m"))
        assert answer.headers["x-a"] == "1, 2"
        await body_of(answer)


async def test_proxies_of_the_environment_are_not_used(
    make_upstream: MakeUpstream, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setitem(os.environ, name, nowhere)
    upstream = make_upstream()
    answer = await upstream.send(request_to(fake.base_url, "m"))
    assert (await body_of(answer)).startswith(b"{")
    await upstream.close()


async def test_a_certificate_of_nobody_we_trust_is_unreachable(
    upstream: Upstream, tmp_path: Path
) -> None:
    server_tls, _ = certificate_for_loopback(tmp_path)
    with FakeOpenAI(tls=server_tls) as fake:
        with pytest.raises(UpstreamUnreachable, match="not trusted") as failure:
            await upstream.send(request_to(fake.base_url, "m"))
        assert says_no_secret(failure.value)
        assert fake.requests == []


async def test_tls_with_a_trusted_certificate_works_and_is_kept(
    make_upstream: MakeUpstream, tmp_path: Path
) -> None:
    server_tls, client_tls = certificate_for_loopback(tmp_path)
    upstream = make_upstream(tls=client_tls)
    with FakeOpenAI(tls=server_tls) as fake:
        for stream in (False, True):
            answer = await upstream.send(request_to(fake.base_url, "m", stream=stream))
            assert await body_of(answer)
        assert [one.connection for one in fake.requests] == [1, 1]
        await upstream.close()
