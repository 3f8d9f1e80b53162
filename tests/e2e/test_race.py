"""Budgets under concurrency: several gateway processes, one engine, more requests than money."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import ExitStack
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.e2e.deployment import Deployment, Holder
    from tests.e2e.gateway_process import GatewayProcess

REQUESTS = 200
AFFORDED = 20
ANSWER_TOKENS = 37
OUTPUT_USD_PER_MILLION = Decimal("3.7")
# The input costs nothing, so the bound of the output is the whole quote, and the fake provider
# answers with exactly as many tokens as it may.
EXACT_QUOTE_USD = ANSWER_TOKENS * OUTPUT_USD_PER_MILLION / 1_000_000
EXACT_MODEL = "openai:exact-9"


@pytest.fixture(scope="module")
def gateways(deployment: Deployment) -> Iterator[Sequence[GatewayProcess]]:
    """Three processes on one table. The providers' answers take long enough that all holds meet."""
    with ExitStack() as stack:
        started = [deployment.process() for _ in range(3)]
        for gateway in started:
            gateway.launch()
            stack.callback(gateway.stop)
        for gateway in started:
            gateway.wait_until_alive()
        deployment.price(EXACT_MODEL, output=str(OUTPUT_USD_PER_MILLION))
        yield started


def _body(*, stream: bool = False, **fields: Any) -> bytes:
    body = {
        "model": EXACT_MODEL,
        "messages": [{"role": "user", "content": "?"}],
        "max_tokens": ANSWER_TOKENS,
        "stream": stream,
        "fake": {"delay_s": 0.5},
        **fields,
    }
    return json.dumps(body).encode()


async def _all_at_once(
    gateways: Sequence[GatewayProcess], holders: Sequence[Holder], body: bytes
) -> list[httpx2.Response]:
    """As many requests as the tests want, in turn over gateways and holders, none before all."""
    limits = httpx2.Limits(max_connections=REQUESTS)
    async with httpx2.AsyncClient(timeout=60, limits=limits) as client:
        return await asyncio.gather(
            *(
                client.post(
                    f"{gateways[at % len(gateways)].url}/v1/chat/completions",
                    content=body,
                    headers=holders[at % len(holders)].headers,
                )
                for at in range(REQUESTS)
            )
        )


def _statuses(answers: Sequence[httpx2.Response]) -> dict[int, int]:
    return dict(Counter(answer.status_code for answer in answers))


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
async def test_of_200_requests_at_once_the_20_that_a_budget_affords_are_served(
    deployment: Deployment, gateways: Sequence[GatewayProcess], *, stream: bool
) -> None:
    holder = deployment.holder(AFFORDED * EXACT_QUOTE_USD)
    before = len(deployment.upstream.requests)
    answers = await _all_at_once(gateways, [holder], _body(stream=stream))
    assert _statuses(answers) == {200: AFFORDED, 403: REQUESTS - AFFORDED}
    assert len(deployment.upstream.requests) - before == AFFORDED
    account = deployment.account(holder)
    assert account.holds == ()
    assert account.committed_usd == AFFORDED * EXACT_QUOTE_USD
    costs = [record["cost_usd"] for record in deployment.books.records(holder.user_id)]
    assert costs == [EXACT_QUOTE_USD] * AFFORDED
    if stream:
        assert all(b"data: [DONE]" in answer.content for answer in answers if answer.is_success)


async def test_a_budget_of_the_key_and_a_pool_of_two_users_hold_at_once(
    deployment: Deployment, gateways: Sequence[GatewayProcess]
) -> None:
    pool = deployment.budget(AFFORDED * EXACT_QUOTE_USD, scope="pool")
    of_a_key = deployment.budget(15 * EXACT_QUOTE_USD)
    holders = [
        deployment.holder(user={"budget_id": pool}, key={"budget_id": of_a_key}) for _ in range(2)
    ]
    answers = await _all_at_once(gateways, holders, _body())
    assert _statuses(answers) == {200: AFFORDED, 403: REQUESTS - AFFORDED}
    account = deployment.books.account
    assert account(f"pool/{pool}").committed_usd == AFFORDED * EXACT_QUOTE_USD
    assert account(f"pool/{pool}").holds == ()
    for holder in holders:
        of_key, of_user = account(f"key/{holder.key_id}"), account(f"user/{holder.user_id}")
        assert of_key.holds == of_user.holds == ()
        assert of_key.committed_usd <= 15 * EXACT_QUOTE_USD
        assert of_key.committed_usd == of_user.committed_usd
        assert of_user.committed_usd == deployment.books.cost_usd(holder.user_id)
    spent = sum(account(f"user/{holder.user_id}").committed_usd for holder in holders)
    assert spent == AFFORDED * EXACT_QUOTE_USD


async def test_a_budget_of_the_key_and_one_of_its_user_hold_at_once(
    deployment: Deployment, gateways: Sequence[GatewayProcess]
) -> None:
    of_a_key = deployment.budget(AFFORDED * EXACT_QUOTE_USD)
    holder = deployment.holder(AFFORDED * EXACT_QUOTE_USD, key={"budget_id": of_a_key})
    answers = await _all_at_once(gateways, [holder], _body())
    assert _statuses(answers) == {200: AFFORDED, 403: REQUESTS - AFFORDED}
    account = deployment.books.account
    for subject in (f"key/{holder.key_id}", f"user/{holder.user_id}"):
        assert account(subject).holds == ()
        assert account(subject).committed_usd == AFFORDED * EXACT_QUOTE_USD
    deployment.check_closed(holder)


async def test_a_provider_that_counts_a_token_a_byte_cannot_overspend(
    deployment: Deployment, gateways: Sequence[GatewayProcess]
) -> None:
    """The worst tokenizer: what it reports is exactly the bound, in bytes, of the request."""
    deployment.price("openai:dense", input_="1.7", output=str(OUTPUT_USD_PER_MILLION))
    fields: dict[str, Any] = {
        "model": "openai:dense",
        "messages": [{"role": "user", "content": "\x01☃𐍈" * 100}],
    }
    body = _body(**fields, fake={"delay_s": 0.5, "prompt_tokens": 10_000})
    bound = len(body) + 8
    body = body.replace(b"10000", b"%5d" % bound)
    assert len(body) + 8 == bound
    quote_usd = (bound * Decimal("1.7") + ANSWER_TOKENS * OUTPUT_USD_PER_MILLION) / 1_000_000
    holder = deployment.holder(AFFORDED * quote_usd + quote_usd / 2)
    answers = await _all_at_once(gateways, [holder], body)
    assert _statuses(answers) == {200: AFFORDED, 403: REQUESTS - AFFORDED}
    assert deployment.account(holder).committed_usd == AFFORDED * quote_usd
    deployment.check_closed(holder)


async def test_a_budget_that_affords_a_shorter_answer_is_spent_and_not_overspent(
    deployment: Deployment, gateways: Sequence[GatewayProcess]
) -> None:
    """The output limits that the gateways lower are the provider's to enforce, and it does."""
    of_20_answers = AFFORDED * 1_000 * OUTPUT_USD_PER_MILLION / 1_000_000
    holder = deployment.holder(of_20_answers + 300 * OUTPUT_USD_PER_MILLION / 1_000_000)
    answers = await _all_at_once(gateways, [holder], _body(max_tokens=1_000))
    assert _statuses(answers) == {200: AFFORDED + 1, 403: REQUESTS - AFFORDED - 1}
    lowered = [answer.headers.get("x-bursar-output-limit") for answer in answers]
    assert [limit for limit in lowered if limit] == ["300"]
    deployment.check_closed(holder)
    assert deployment.account(holder).committed_usd == of_20_answers + Decimal("0.00111")


async def test_a_rate_limit_counts_over_all_gateways(
    deployment: Deployment, gateways: Sequence[GatewayProcess]
) -> None:
    holder = deployment.holder(key={"rate_limit_rpm": 10})
    answers = await _all_at_once(gateways, [holder], _body())
    served = _statuses(answers)[200]
    windows = {answer.headers["x-ratelimit-reset"] for answer in answers if answer.is_success}
    assert 10 * (len(windows) - 1) < served <= 10 * len(windows)  # a minute may end meanwhile
    assert _statuses(answers) == {200: served, 429: REQUESTS - served}
    assert all(answer.headers["retry-after"] for answer in answers if answer.is_error)
    deployment.check_closed(holder)
