"""A gateway that is killed in mid-flight: what it held is charged, nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
from decimal import Decimal
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Self

import httpx2
import pytest

from tests.e2e.gateway_process import NO_TLS, until
from tests.fakes.openai_behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.deployment import Deployment, Holder
    from tests.e2e.gateway_process import GatewayProcess

MODEL = "openai:exact-9"
OUTPUT_USD_PER_MILLION = Decimal("3.7")
ANSWER_TOKENS = 40
QUOTE_USD = ANSWER_TOKENS * OUTPUT_USD_PER_MILLION / 1_000_000
# Holds live for the sum of the first two, rounded up to a second or two. No crowd here may take
# longer on a busy machine.
SHORT_LIVES = {"request_timeout_s": "8", "hold_margin_s": "0.5", "sweep_interval_s": "1"}
EXPIRY_TIMEOUT_S = 60.0


@pytest.fixture
def gateway(deployment: Deployment) -> Iterator[GatewayProcess]:
    with deployment.running(**SHORT_LIVES) as started:
        deployment.price(MODEL, output=str(OUTPUT_USD_PER_MILLION))
        yield started


def _body(*, model: str = MODEL, stream: bool = False, **behaviour: Any) -> bytes:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "?"}],
        "max_tokens": ANSWER_TOKENS,
        "stream": stream,
        "fake": behaviour,
    }
    return json.dumps(body).encode()


def _ask(gateway: GatewayProcess, holder: Holder, body: bytes | None = None) -> httpx2.Response:
    return httpx2.post(
        f"{gateway.url}/v1/chat/completions",
        content=body or _body(),
        headers=holder.headers,
        timeout=30,
        verify=NO_TLS,
    )


class _Crowd:
    """Requests in flight from a client that survives the gateway."""

    def __init__(self, gateway: GatewayProcess, holder: Holder) -> None:
        self._url = f"{gateway.url}/v1/chat/completions"
        self._headers = holder.headers
        limits = httpx2.Limits(max_connections=200)
        self._client = httpx2.AsyncClient(timeout=30, limits=limits)
        self._tasks: list[asyncio.Task[None]] = []
        self.begun: set[int] = set()
        self.done = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._tasks)
        await self._client.aclose()

    def send(self, count: int, body: bytes) -> None:
        numbers = range(len(self._tasks), len(self._tasks) + count)
        self._tasks += [asyncio.create_task(self._one(number, body)) for number in numbers]

    def has_done(self, count: int) -> bool:
        return self.done >= count

    async def _one(self, number: int, body: bytes) -> None:
        asking = self._client.stream("POST", self._url, content=body, headers=self._headers)
        with contextlib.suppress(httpx2.HTTPError):  # the gateway dies, that is what this is about
            async with asking as answer:
                async for _ in answer.aiter_bytes():
                    self.begun.add(number)
                self.done += 1


async def test_killed_in_mid_flight_it_charges_what_was_held_and_goes_on(
    deployment: Deployment, gateway: GatewayProcess
) -> None:
    upstream, books = deployment.upstream, deployment.books
    holder = deployment.holder(57 * QUOTE_USD)
    for _ in range(5):
        assert _ask(gateway, holder).status_code == 200
    before = len(upstream.requests)
    async with _Crowd(gateway, holder) as crowd:
        crowd.send(25, _body(hang=True))
        crowd.send(25, _body(stream=True, pace_s=0.5))
        assert await upstream.until(lambda: len(upstream.requests) - before == 50)
        assert await upstream.until(lambda: len(crowd.begun) == 25)
        gateway.kill()
    assert len(deployment.account(holder).holds) == 50
    assert deployment.account(holder).committed_usd == 55 * QUOTE_USD

    gateway.start()
    # Two more are afforded while the dead requests' money is still held, and not a third.
    assert [_ask(gateway, holder).status_code for _ in range(3)] == [200, 200, 403]
    assert until(lambda: books.open_holds() == 0, EXPIRY_TIMEOUT_S)

    account = deployment.account(holder)
    assert account.committed_usd == 57 * QUOTE_USD
    assert account.committed_usd == books.cost_usd(holder.user_id)
    expired = [row for row in deployment.usage(holder) if row["outcome"] == "expired"]
    assert len(expired) == 50
    assert {Decimal(str(row["cost"])) for row in expired} == {QUOTE_USD}
    assert all(row["estimated"] and row["status"] == "error" for row in expired)
    sent = {seen.headers["x-client-request-id"] for seen in upstream.requests[before:]}
    assert {row["id"] for row in expired} <= sent
    assert _ask(gateway, holder).status_code == 403
    assert _ask(gateway, deployment.holder(QUOTE_USD)).status_code == 200


async def test_killed_again_and_again_under_load_it_loses_no_request_that_a_provider_saw(
    deployment: Deployment, gateway: GatewayProcess
) -> None:
    upstream, books = deployment.upstream, deployment.books
    limit_usd = 400 * QUOTE_USD
    holder = deployment.holder(limit_usd)
    before = len(upstream.requests)
    for _ in range(2):
        async with _Crowd(gateway, holder) as crowd:
            crowd.send(40, _body(delay_s=1))
            crowd.send(40, _body())
            crowd.send(40, _body(stream=True))
            # Some have ended, some wait for the provider, and for some only the record is written.
            assert await upstream.until(partial(crowd.has_done, 20))
            gateway.kill()
        gateway.start()
    with deployment.running(**SHORT_LIVES):  # two sweep at once
        assert until(lambda: books.open_holds() == 0, EXPIRY_TIMEOUT_S)

    records = {record["sk"]: record for record in books.records(holder.user_id)}
    sent = {seen.headers["x-client-request-id"] for seen in upstream.requests[before:]}
    assert sent <= set(records)
    assert {record["cost_usd"] for record in records.values()} == {QUOTE_USD}
    assert {record["status"] for record in records.values()} == {"success", "expired"}
    assert deployment.account(holder).committed_usd == len(records) * QUOTE_USD <= limit_usd
    assert _ask(gateway, holder).status_code == 200
    deployment.check_closed(holder)


async def test_an_orderly_stop_lets_running_requests_end_and_takes_no_new_ones(
    deployment: Deployment, gateway: GatewayProcess
) -> None:
    upstream, holder, may_end = deployment.upstream, deployment.holder(60 * QUOTE_USD), Event()
    upstream.behaviours["held"] = Behaviour(is_held=lambda: not may_end.is_set())
    deployment.price("openai:held", output=str(OUTPUT_USD_PER_MILLION))
    before = len(upstream.requests)
    async with _Crowd(gateway, holder) as crowd:
        crowd.send(10, _body(model="openai:held", stream=True))
        crowd.send(10, _body(model="openai:held"))
        assert await upstream.until(lambda: len(upstream.requests) - before == 20)
        assert await upstream.until(lambda: len(crowd.begun) == 10)
        gateway.process.terminate()
        assert await upstream.until(lambda: not gateway.is_alive())
        assert gateway.is_running
        may_end.set()
    assert crowd.done == 20
    assert gateway.stop() == 0
    deployment.check_closed(holder)
    assert deployment.account(holder).committed_usd == 20 * QUOTE_USD
    assert {record["status"] for record in deployment.books.records(holder.user_id)} == {"success"}
