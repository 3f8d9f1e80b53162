"""Budgets under concurrency in every dialect, before providers that use all they are allowed.

The prompts are of characters that a tokenizer may count a token a byte, and the providers do; they
take the whole output limit and bill a marked cache at its dearest rate. What a budget affords is
served, and nothing more, whatever was translated on the way.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.e2e.deployment import INPUT_USD_PER_MILLION, OUTPUT_USD_PER_MILLION
from tests.e2e.dialects.ways import ALL_RATES, CACHE_WRITE_1H_USD, NAMES, WAYS, Way
from tests.e2e.gateway_process import until
from tests.fakes.dense_tokens import dense_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from tests.e2e.deployment import Deployment, Holder
    from tests.e2e.gateway_process import GatewayProcess
    from tests.fakes.fake_provider import FakeProvider

REQUESTS = 100
AFFORDED = 20
DENSE = "\u16a0𐍈\ua015☃" * 60
# Long enough that all holds meet before the first is settled.
WORDS = "hostile+delay-2.5"
HOUR = {"type": "ephemeral", "ttl": "1h"}


@pytest.fixture(scope="module")
def gateways(deployment: Deployment) -> Iterator[Sequence[GatewayProcess]]:
    """Two processes on one table."""
    with ExitStack() as stack:
        started = [deployment.process() for _ in range(2)]
        for gateway in started:
            gateway.launch()
            stack.callback(gateway.stop)
        for gateway in started:
            gateway.wait_until_alive()
        yield started


@pytest.fixture
def fake(deployment: Deployment, way: Way) -> FakeProvider:
    assert deployment.anthropic is not None
    return deployment.anthropic if way.is_anthropics else deployment.upstream


def _body(way: Way, model: str, *, stream: bool, limit: int) -> bytes:
    body = json.loads(way.body(model, stream=stream, prompt=DENSE, limit=limit))
    if way.asked == "messages":
        block = {"type": "text", "text": DENSE, "cache_control": HOUR}
        body["messages"][0]["content"] = [block]
    return json.dumps(body, ensure_ascii=False).encode()


async def _all_at_once(
    gateways: Sequence[GatewayProcess], holder: Holder, way: Way, body: bytes
) -> list[httpx2.Response]:
    limits = httpx2.Limits(max_connections=REQUESTS)
    async with httpx2.AsyncClient(timeout=60, limits=limits) as client:
        urls = [gateways[at % len(gateways)].url + way.path for at in range(REQUESTS)]
        posts = (client.post(url, content=body, headers=holder.headers) for url in urls)
        return await asyncio.gather(*posts)


async def _quote_usd(deployment: Deployment, way: Way, body: bytes) -> Decimal:
    """What a request reserves, read from the books while its provider thinks."""
    probe = deployment.holder("100")
    url = deployment.gateway.url + way.path
    async with httpx2.AsyncClient(timeout=60) as client:
        asking = asyncio.create_task(client.post(url, content=body, headers=probe.headers))
        await asyncio.to_thread(until, lambda: deployment.books.open_holds() > 0)
        quoted_usd: Decimal = deployment.account(probe).committed_usd
        assert (await asking).status_code == 200
    return quoted_usd


def _cost_usd(way: Way, request: dict[str, Any]) -> Decimal:
    """What a hostile provider bills for a request as it got it."""
    limits = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    limit = sum(int(request.get(name) or 0) for name in limits)
    is_kept = way == Way("messages", "anthropic")
    rate = CACHE_WRITE_1H_USD if is_kept else INPUT_USD_PER_MILLION
    return (dense_tokens(request) * rate + limit * OUTPUT_USD_PER_MILLION) / 1_000_000


def _check_books(
    deployment: Deployment, holder: Holder, way: Way, sent: Sequence[dict[str, Any]]
) -> None:
    deployment.check_closed(holder)
    costs = sorted(record["cost_usd"] for record in deployment.books.records(holder.user_id))
    assert costs == sorted(_cost_usd(way, request) for request in sent)


@pytest.mark.parametrize("way", WAYS, ids=NAMES)
async def test_of_100_requests_at_once_the_20_that_a_budget_affords_are_served(
    deployment: Deployment, gateways: Sequence[GatewayProcess], fake: FakeProvider, way: Way
) -> None:
    model = deployment.model(way.provider, WORDS, **ALL_RATES)
    body = _body(way, model, stream=way.provider != "openai", limit=37)
    quote_usd = await _quote_usd(deployment, way, body)
    holder = deployment.holder(AFFORDED * quote_usd)
    before = len(fake.requests)
    answers = await _all_at_once(gateways, holder, way, body)
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {200: AFFORDED, 403: REQUESTS - AFFORDED}
    sent = [request.json() for request in fake.requests[before:]]
    assert len(sent) == AFFORDED
    _check_books(deployment, holder, way, sent)
    assert deployment.account(holder).committed_usd <= AFFORDED * quote_usd
    assert all(_cost_usd(way, request) <= quote_usd for request in sent)


@pytest.mark.parametrize(
    "way", [WAYS[1], WAYS[2], WAYS[3], WAYS[6]], ids=[NAMES[1], NAMES[2], NAMES[3], NAMES[6]]
)
async def test_a_limit_that_was_lowered_to_what_is_left_is_used_up_and_not_overspent(
    deployment: Deployment, gateways: Sequence[GatewayProcess], fake: FakeProvider, way: Way
) -> None:
    model = deployment.model(way.provider, WORDS, **ALL_RATES)
    body = _body(way, model, stream=True, limit=1_000)
    quote_usd = await _quote_usd(deployment, way, body)
    without_700 = quote_usd - 700 * OUTPUT_USD_PER_MILLION / 1_000_000
    budget_usd = AFFORDED * quote_usd + without_700
    holder = deployment.holder(budget_usd)
    before = len(fake.requests)
    answers = await _all_at_once(gateways, holder, way, body)
    assert Counter(answer.status_code for answer in answers)[200] == AFFORDED + 1
    lowered = [answer.headers.get("x-bursar-output-limit") for answer in answers]
    assert [limit for limit in lowered if limit] == ["300"]
    sent = [request.json() for request in fake.requests[before:]]
    _check_books(deployment, holder, way, sent)
    assert deployment.account(holder).committed_usd <= budget_usd
