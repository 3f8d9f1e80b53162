"""Work that a caller who leaves never saw is charged: the cap must hold whoever leaves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bursar.domain.usage import Status, UsageRecord
from bursar.services.answers import StreamedAnswer
from bursar.services.policy import Policy
from bursar.services.presence import CallerGone
from tests.fakes.scripted_upstream import DONE, delta, event, stream, usage_chunk
from tests.fakes.world import MODEL, World, drained

REASONING = "openai:gpt-5"


async def _left(*shown: bytes, policy: Policy | None = None, **body: Any) -> UsageRecord:
    """The record of a stream whose caller leaves after what was shown."""
    world = World(policy=policy or Policy())
    key = await world.someone("1")
    await world.price(body.setdefault("model", REASONING))
    world.upstream.answer = stream(*shown, asyncio.Event())
    answer = await world.chat(key, stream=True, **body)
    assert isinstance(answer, StreamedAnswer)
    left_to_write = len(shown)

    async def write(_: bytes) -> None:
        nonlocal left_to_write
        left_to_write -= 1
        if left_to_write == 0:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await answer.relay.run(write)
    record = await world.record()
    assert record.status is Status.DISCONNECTED
    assert record.cost_usd == (await world.balance()).committed_usd
    return record


def _output(record: UsageRecord) -> int:
    assert record.usage is not None
    return record.usage.output_tokens


async def test_a_model_that_reasons_by_itself_may_have_used_all_that_it_was_allowed() -> None:
    record = await _left(delta("four"))
    assert (_output(record), record.is_estimated) == (100, True)


@pytest.mark.parametrize("asked", [{"reasoning_effort": "low"}, {"reasoning": {"effort": "high"}}])
async def test_so_may_one_that_was_asked_to(asked: dict[str, Any]) -> None:
    assert _output(await _left(delta("four"), model=MODEL, **asked)) == 100


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        (MODEL, {}),
        ("openai:gpt-5-chat-latest", {}),
        (REASONING, {"reasoning_effort": "none"}),
        (REASONING, {"reasoning": {"enabled": False}}),
    ],
)
async def test_one_that_does_not_reason_has_used_what_was_seen(
    model: str, asked: dict[str, Any]
) -> None:
    assert _output(await _left(delta("four"), model=model, **asked)) == 4


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_one_that_shows_its_reasoning_has_used_what_was_seen(field: str) -> None:
    shown = event({"choices": [{"index": 0, "delta": {field: "hmm"}}]})
    assert _output(await _left(shown, delta("four"))) == 7


async def test_who_waives_what_nobody_knows_charges_what_was_seen() -> None:
    record = await _left(delta("four"), policy=Policy(charges_unknown=False))
    assert _output(record) == 4


async def test_a_model_may_reason_before_it_says_anything_at_all() -> None:
    world = World()
    key = await world.someone("1")
    await world.price(REASONING)
    world.upstream.answer = stream(asyncio.Event())
    with pytest.raises(CallerGone):
        await world.chat(key, stream=True, model=REASONING, gone=lambda: asyncio.sleep(0.01))
    assert _output(await world.record()) == 100


async def test_a_stream_that_told_its_usage_is_charged_by_that() -> None:
    world = World()
    key = await world.someone("1")
    await world.price(REASONING)
    world.upstream.answer = stream(delta("four"), usage_chunk(100, 2), DONE)
    await drained(await world.chat(key, stream=True, model=REASONING))
    record = await world.record()
    assert (_output(record), record.is_estimated) == (2, False)
