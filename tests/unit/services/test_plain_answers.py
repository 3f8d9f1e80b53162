"""What a request answered in one piece costs, and what its caller gets."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from bursar.domain.errors import (
    BursarError,
    InvalidRequest,
    StoreUnavailable,
    UpstreamBroken,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bursar.domain.usage import Status, TokenUsage
from bursar.services.answers import WholeAnswer
from bursar.services.policy import Policy
from tests.fakes.scripted_upstream import JSON, ScriptedAnswer, completion
from tests.fakes.world import PROVIDER_KEY, World, whole


async def test_the_reported_usage_is_charged_exactly() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = completion(prompt_tokens=1_000, completion_tokens=7)
    answer = await world.chat(key)
    record = await world.record()
    assert record.cost_usd == Decimal("0.001014")
    assert record.usage == TokenUsage(1_000, 7)
    assert record.status is Status.SUCCESS
    assert not record.is_estimated
    assert (await world.balance()).committed_usd == Decimal("0.001014")
    assert (await world.balance()).holds == {}
    assert answer.headers["x-bursar-cost-usd"] == "0.001014"


async def test_the_rates_charged_are_kept_in_the_record() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = completion()
    await world.chat(key)
    record = await world.record()
    assert record.input_usd_per_million == 1
    assert record.output_usd_per_million == 2


async def test_only_model_changes_in_the_body_that_the_provider_gets() -> None:
    world = World()
    key = await world.someone()
    world.upstream.answer = completion()
    await world.chat(key, seed=7, unheard_of={"nested": [1.50]})
    assert world.upstream.sent == {
        "model": "gpt-test",
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 100,
        "seed": 7,
        "unheard_of": {"nested": [1.5]},
    }
    assert b'"unheard_of":{"nested":[1.5]}' in world.upstream.requests[0].body


async def test_the_provider_gets_its_own_key_and_none_of_the_callers_headers() -> None:
    world = World()
    key = await world.someone()
    world.upstream.answer = completion()
    await world.chat(key, headers={"cookie": "a=b", "x-secret": "s", "openai-beta": "v2"})
    sent = world.upstream.requests[0].headers
    assert sent["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert sent["openai-beta"] == "v2"
    assert "cookie" not in sent
    assert "x-secret" not in sent
    assert key not in str(sent)


async def test_an_idempotency_key_repeats_the_requests_of_its_own_caller_only() -> None:
    world = World()
    world.upstream.answer = completion()
    alice = await world.someone()
    await world.user("bob")
    bob = await world.key("bob")
    for key, given in ((alice, "1"), (alice, "1"), (bob, "1"), (alice, "2"), (alice, "caf\xe9")):
        await world.chat(key, headers={"idempotency-key": given})
    first, again, other, another, accented = (
        it.headers["idempotency-key"] for it in world.upstream.requests
    )
    assert first == again
    assert len({first, other, another, accented}) == 4
    assert accented.isascii()


@pytest.mark.parametrize("name", ["traceparent", "tracestate", "openai-beta"])
@pytest.mark.parametrize("value", ["caf\xe9", "\u65e5", "a\r\nx-evil: 1", " a", "a\x01"])
async def test_a_header_that_cannot_be_sent_on_is_refused_and_costs_nothing(
    name: str, value: str
) -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = completion()
    with pytest.raises(InvalidRequest, match=name):
        await world.chat(key, headers={name: value})
    assert world.upstream.requests == []
    assert (await world.balance()).committed_usd == 0


async def test_an_answer_without_usage_is_charged_for_more_than_it_can_have_used() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = ScriptedAnswer(
        headers=JSON, script=[b'{"choices":[{"message":{"content":"four"}}]}']
    )
    await world.chat(key)
    record = await world.record()
    assert record.is_estimated
    assert record.usage is not None
    assert record.usage.output_tokens == 4
    assert record.usage.input_tokens >= len("hello")
    assert record.cost_usd == (await world.balance()).committed_usd > 0


async def test_an_estimate_never_exceeds_the_hold() -> None:
    world = World()
    key = await world.someone("0.01")
    long = b'{"choices":[{"message":{"content":"' + b"x" * 100_000 + b'"}}]}'
    world.upstream.answer = ScriptedAnswer(script=[long])
    await world.chat(key, max_tokens=100)
    assert (await world.balance()).committed_usd < Decimal("0.001")


async def test_a_refused_provider_key_is_not_the_callers_fault() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = ScriptedAnswer(401, JSON, [b'{"error":{"message":"no such org"}}'])
    answer = await world.chat(key)
    assert isinstance(answer, WholeAnswer)
    assert answer.status == 401
    assert "gateway's credentials" in whole(answer)["error"]["message"]
    assert b"no such org" not in answer.body


async def test_a_refusal_by_the_provider_passes_and_costs_nothing() -> None:
    world = World()
    key = await world.someone("1")
    headers = {"content-type": "application/json", "retry-after": "7", "set-cookie": "no"}
    world.upstream.answer = ScriptedAnswer(429, headers, [b'{"error":{"message":"slow down"}}'])
    answer = await world.chat(key)
    assert isinstance(answer, WholeAnswer)
    assert (answer.status, answer.body) == (429, b'{"error":{"message":"slow down"}}')
    assert answer.headers["retry-after"] == "7"
    assert "set-cookie" not in answer.headers
    record = await world.record()
    assert record.status is Status.ERROR
    assert record.cost_usd == 0
    assert record.error_message is not None
    assert "slow down" in record.error_message
    assert (await world.balance()).committed_usd == 0


@pytest.mark.parametrize("status", [401, 403, 400])
async def test_a_refusal_that_shows_the_provider_key_never_reaches_the_caller(status: int) -> None:
    world = World()
    key = await world.someone("1")
    body = f'{{"error":{{"message":"Incorrect API key: {PROVIDER_KEY}"}}}}'.encode()
    world.upstream.answer = ScriptedAnswer(status, JSON, [body])
    answer = await world.chat(key)
    assert isinstance(answer, WholeAnswer)
    assert answer.status == status
    assert PROVIDER_KEY.encode() not in answer.body
    assert b"Incorrect API key" not in answer.body
    assert PROVIDER_KEY not in str(await world.record())


@pytest.mark.parametrize("status", [500, 503, 302])
async def test_a_failure_of_the_provider_is_not_quoted_and_costs_nothing(status: int) -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = ScriptedAnswer(status, JSON, [b"stack trace of the provider"])
    with pytest.raises(UpstreamError) as failed:
        await world.chat(key)
    assert "stack trace" not in str(failed.value)
    assert (await world.balance()).committed_usd == 0


async def test_a_provider_that_cannot_be_reached_costs_nothing() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = UpstreamUnreachable("no route")
    with pytest.raises(UpstreamUnreachable):
        await world.chat(key)
    assert (await world.balance()).committed_usd == 0
    assert (await world.record()).status is Status.ERROR


async def test_an_answer_without_end_is_broken_off() -> None:
    world = World()
    key = await world.someone("1")
    megabyte = b" " * 2**20
    world.upstream.answer = ScriptedAnswer(200, JSON, [megabyte] * 129)
    with pytest.raises(UpstreamBroken, match="more than any answer has"):
        await world.chat(key)
    assert world.upstream.answer.is_closed
    assert (await world.balance()).committed_usd > 0


@pytest.mark.parametrize("error", [UpstreamTimeout("late"), UpstreamBroken("reset")])
async def test_where_nobody_knows_the_bill_the_whole_hold_is_charged(error: BursarError) -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = ScriptedAnswer(script=[b'{"cho', error])
    with pytest.raises(type(error)):
        await world.chat(key)
    record = await world.record()
    assert record.is_estimated
    assert record.cost_usd == (await world.balance()).committed_usd
    assert record.cost_usd is not None
    assert record.cost_usd > Decimal("0.0002")


async def test_an_administrator_can_waive_the_unknown_bill() -> None:
    world = World(Policy(directory_age_s=0, charges_unknown=False))
    key = await world.someone("1")
    world.upstream.answer = UpstreamTimeout("late")
    with pytest.raises(UpstreamTimeout):
        await world.chat(key)
    assert (await world.balance()).committed_usd == 0


async def test_a_request_that_takes_too_long_ends_with_its_deadline() -> None:
    world = World(Policy(directory_age_s=0, request_timeout_s=0.05))
    key = await world.someone("1")
    world.upstream.answer = ScriptedAnswer(script=[asyncio.Event()])
    with pytest.raises(UpstreamTimeout):
        await world.chat(key)
    assert world.upstream.answer.is_closed
    assert (await world.balance()).holds == {}


async def test_a_cost_above_the_hold_is_recorded_in_full() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = completion(prompt_tokens=100_000, completion_tokens=100_000)
    await world.chat(key)
    assert (await world.balance()).committed_usd == Decimal("0.3")


async def test_embeddings_are_charged_by_their_input() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = ScriptedAnswer(
        script=[b'{"data":[],"usage":{"prompt_tokens":3,"total_tokens":3}}']
    )
    whole(await world.embed(key, input=["hello", "world"]))
    record = await world.record()
    assert record.endpoint == "/v1/embeddings"
    assert record.cost_usd == Decimal("0.000003")


async def test_a_ledger_lost_after_the_answer_does_not_take_the_answer_away() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = completion()

    class LostLog:
        async def record(self, entry: object) -> object:
            raise StoreUnavailable("gone")

    world.till._usage_log = LostLog()  # type: ignore[assignment]
    assert whole(await world.chat(key))["id"] == "c1"
    assert len((await world.balance()).holds) == 1
