"""A stream that says in place of its first event that it failed is no answer, and costs nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from bursar.domain.aliases import Alias, AliasTarget
from bursar.domain.errors import UpstreamError
from bursar.domain.money import ZERO
from bursar.domain.usage import Status
from bursar.services.answers import WholeAnswer
from bursar.services.breaker import FAILURES_MAX
from tests.fakes.scripted_upstream import DONE, delta, event, stream, usage_chunk
from tests.fakes.several_upstreams import SeveralUpstreams
from tests.fakes.world import PROVIDER_KEY, World, drained

if TYPE_CHECKING:
    from tests.fakes.scripted_upstream import ScriptedAnswer

A, B = "openai:a", "groq:b"
COMMENT = b": PROCESSING\n\n"


def refusing(code: Any, message: str = "no", *before: bytes) -> ScriptedAnswer:
    return stream(*before, event({"error": {"code": code, "message": message}}), DONE)


def served() -> ScriptedAnswer:
    return stream(delta("abc"), usage_chunk(10, 5), DONE)


async def a_world(**fields: Any) -> tuple[World, str]:
    """Two models at 1 and 2 dollars a million tokens, and the alias `fast` for them."""
    world = World(providers=("groq",))
    key = await world.someone("10")
    await world.price(A, "1", "1")
    await world.price(B, "2", "2")
    row = Alias("fast", (AliasTarget(A), AliasTarget(B)), world.now, world.now)
    await world.storage.directory.aliases.put(replace(row, **fields))
    return world, key


async def nothing_is_held(world: World) -> None:
    for balance in await world.all_balances():
        assert balance.holds == {}
        assert balance.committed_usd == balance.spent_usd


async def test_it_is_sent_again_and_then_elsewhere() -> None:
    world, key = await a_world()
    first, second = refusing(503), refusing(502)
    upstreams = SeveralUpstreams(world, openai=[first, second], groq=[served()])

    answer = await world.chat(key, model="fast", stream=True)

    assert b"abc" in await drained(answer)
    assert upstreams.asked == ["openai", "openai", "groq"]
    assert answer.headers["x-bursar-route"] == f"fallback;after={A};because=upstream_5xx"
    assert answer.headers["x-bursar-attempts"] == "3"
    assert (await world.record()).cost_usd == Decimal("0.00003")
    assert first.is_closed
    assert second.is_closed
    await nothing_is_held(world)


async def test_a_rate_limit_in_a_stream_leads_straight_to_the_next_target() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[refusing("rate_limit_exceeded")], groq=[served()])
    answer = await world.chat(key, model="fast", stream=True)
    await drained(answer)
    assert upstreams.asked == ["openai", "groq"]
    assert answer.headers["x-bursar-route"] == f"fallback;after={A};because=upstream_429"


async def test_without_another_target_its_caller_gets_a_status_and_pays_nothing() -> None:
    world, key = await a_world()
    SeveralUpstreams(world, openai=[refusing(503, f"busy {PROVIDER_KEY}")] * 2)

    with pytest.raises(UpstreamError, match="failed with status 503"):
        await world.chat(key, model=A, stream=True)

    record = await world.record()
    assert (record.status, record.cost_usd, record.usage) == (Status.ERROR, ZERO, None)
    assert record.error_message is not None
    assert "busy [provider key]" in record.error_message
    assert [balance.committed_usd for balance in await world.all_balances()] == [ZERO]
    await nothing_is_held(world)


async def test_what_is_the_callers_own_fault_is_told_at_once_in_json() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[refusing(400, "too long")])

    answer = await world.chat(key, model="fast", stream=True)

    assert isinstance(answer, WholeAnswer)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/json")
    assert msgspec.json.decode(answer.body)["error"]["message"] == "too long"
    assert upstreams.asked == ["openai"]
    assert (await world.record()).cost_usd == ZERO
    await nothing_is_held(world)


async def test_a_callers_error_that_shows_the_providers_key_is_replaced() -> None:
    world, key = await a_world()
    SeveralUpstreams(world, openai=[refusing(400, f"bad key {PROVIDER_KEY}")])
    answer = await world.chat(key, model=A, stream=True)
    assert isinstance(answer, WholeAnswer)
    assert PROVIDER_KEY.encode() not in answer.body


async def test_comments_before_the_error_fix_no_status() -> None:
    world, key = await a_world()
    upstreams = SeveralUpstreams(
        world, openai=[refusing(502, "no", COMMENT, COMMENT)] * 2, groq=[served()]
    )
    assert b"abc" in await drained(await world.chat(key, model="fast", stream=True))
    assert upstreams.asked == ["openai", "openai", "groq"]


async def test_comments_before_an_answer_are_passed_with_its_first_event() -> None:
    world, key = await a_world()
    script = (COMMENT, COMMENT, delta("a"), COMMENT, delta("b"))
    SeveralUpstreams(world, openai=[stream(*script, usage_chunk(), DONE)])
    answer = await world.chat(key, model=A, stream=True)
    assert await drained(answer) == b"".join(script) + DONE


async def test_comments_that_go_on_for_long_are_passed_and_an_error_after_them_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bursar.services.relay._COMMENTS_WAIT_S", -1.0)
    world, key = await a_world()
    upstreams = SeveralUpstreams(world, openai=[refusing(502, "no", COMMENT)])

    written = await drained(await world.chat(key, model="fast", stream=True))

    assert written.startswith(COMMENT)
    assert b"An error occurred during streaming" in written
    assert upstreams.asked == ["openai"]
    record = await world.record()
    assert (record.status, record.cost_usd) == (Status.ERROR, ZERO)
    await nothing_is_held(world)


async def test_a_flood_of_comments_is_not_kept_for_long() -> None:
    world, key = await a_world()
    flood = b":" + b"x" * 5_000 + b"\n\n"
    SeveralUpstreams(world, openai=[stream(flood, asyncio.Event())])
    async with asyncio.timeout(10):
        await world.chat(key, model=A, stream=True)


@pytest.mark.parametrize(
    "first",
    [
        event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}),
        delta("a"),
        usage_chunk(10, 0),
    ],
    ids=["a role", "a word", "usage"],
)
@pytest.mark.parametrize("joined", [False, True], ids=["in two reads", "in one"])
async def test_an_answer_that_has_begun_is_charged_and_not_sent_again(
    first: bytes,
    joined: bool,  # noqa: FBT001 (a parameter of the test)
) -> None:
    world, key = await a_world()
    failure = event({"error": {"code": 503, "message": "no"}})
    script = (first + failure,) if joined else (first, failure)
    upstreams = SeveralUpstreams(world, openai=[stream(*script, DONE)])
    options = {"include_usage": True}

    written = await drained(
        await world.chat(key, model="fast", stream=True, stream_options=options)
    )

    assert written.startswith(first)
    assert upstreams.asked == ["openai"]
    record = await world.record()
    assert record.status is Status.ERROR
    assert record.cost_usd
    await nothing_is_held(world)


async def test_an_error_that_comes_with_usage_is_charged_by_it() -> None:
    world, key = await a_world()
    failure = event({"error": {"code": 503}, "usage": {"prompt_tokens": 7}})
    SeveralUpstreams(world, openai=[stream(failure, DONE)])
    with pytest.raises(UpstreamError):
        await world.chat(key, model=A, stream=True)
    assert (await world.record()).cost_usd == Decimal("0.000007")
    await nothing_is_held(world)


async def test_it_counts_as_a_failure_of_its_target() -> None:
    world, key = await a_world(retries=0)
    upstreams = SeveralUpstreams(
        world, openai=[refusing(529)] * FAILURES_MAX, groq=[served() for _ in range(9)]
    )
    for _ in range(FAILURES_MAX):
        await drained(await world.chat(key, model="fast", stream=True))
    upstreams.requests.clear()
    await drained(await world.chat(key, model="fast", stream=True))
    assert upstreams.asked == ["groq"]


async def test_a_connection_that_fails_to_close_after_it_leaves_no_books_open() -> None:
    world, key = await a_world()
    refused = refusing(503)

    async def close() -> None:
        raise RuntimeError

    refused.close = close  # type: ignore[method-assign]
    SeveralUpstreams(world, openai=[refused])
    with pytest.raises(RuntimeError):
        await world.chat(key, model=A, stream=True)
    await nothing_is_held(world)
