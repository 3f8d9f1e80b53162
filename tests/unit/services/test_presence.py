"""Callers who leave around an answer: what was not sent costs nothing, and nothing stays open."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from bursar.domain.money import ZERO
from bursar.domain.usage import Status
from bursar.services.presence import CallerGone, never, while_present
from tests.fakes.scripted_upstream import DONE, delta, stream
from tests.fakes.world import World

if TYPE_CHECKING:
    from bursar.domain.keys import VirtualKey


async def _at_once() -> None:
    """Of a caller who has left."""


async def test_work_for_a_caller_who_has_left_is_not_begun() -> None:
    begun = []

    async def work() -> None:
        begun.append(1)

    with pytest.raises(CallerGone):
        await while_present(work, _at_once)
    assert begun == []


async def test_work_that_is_done_first_counts_although_its_caller_leaves_then() -> None:
    async def work() -> str:
        return "done"

    async def gone() -> None:
        for _ in range(2):
            await asyncio.sleep(0)

    assert await while_present(work, gone) == "done"


async def test_work_has_ended_when_its_waiter_is_cancelled_twice() -> None:
    ended = asyncio.Event()
    closing = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await closing.wait()
            ended.set()

    waiting = asyncio.create_task(while_present(work, never))
    for _ in range(3):
        await asyncio.sleep(0.01)
        waiting.cancel()
    assert not waiting.done()
    closing.set()
    with suppress(asyncio.CancelledError):
        await waiting
    assert ended.is_set()


async def test_a_caller_who_leaves_while_money_is_held_pays_nothing_and_nothing_is_sent() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("a"), DONE)

    with pytest.raises(CallerGone):
        await world.chat(key, stream=True, gone=_at_once)

    assert world.upstream.requests == []
    record = await world.record()
    assert (record.status, record.cost_usd) == (Status.DISCONNECTED, ZERO)
    assert (await world.balance()).committed_usd == ZERO
    assert (await world.balance()).holds == {}


async def test_a_stream_whose_request_is_cancelled_before_it_is_taken_is_closed() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = answer = stream(delta("four"), asyncio.Event())
    noting = asyncio.Event()

    async def note(key: VirtualKey | None) -> None:
        noting.set()
        await asyncio.Event().wait()

    world.completion.last_use.note = note  # type: ignore[method-assign]
    asking = asyncio.create_task(world.chat(key, stream=True))
    await noting.wait()
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking

    assert answer.is_closed
    record = await world.record()
    assert record.status is Status.DISCONNECTED
    assert record.cost_usd == (await world.balance()).committed_usd > 0
    assert (await world.balance()).holds == {}


@pytest.mark.parametrize("turns", range(40))
async def test_whenever_a_streamed_request_is_cancelled_nothing_stays_open(turns: int) -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = answer = stream(delta("four"), asyncio.Event())
    asking = asyncio.create_task(world.chat(key, stream=True))
    for _ in range(turns):
        await asyncio.sleep(0)
    asking.cancel()
    try:
        got = await asking
    except asyncio.CancelledError:
        assert (await world.balance()).holds == {}
        assert answer.is_closed or not world.upstream.requests
    else:
        assert got.status == 200
