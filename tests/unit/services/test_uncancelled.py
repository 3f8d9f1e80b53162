from __future__ import annotations

import asyncio

import pytest

from bursar.services.uncancelled import uncancelled


async def test_the_result_is_the_works() -> None:
    assert await uncancelled(asyncio.sleep(0, "done")) == "done"


async def test_the_works_error_is_raised() -> None:
    async def fail() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        await uncancelled(fail())


async def test_a_cancellation_waits_for_the_work_and_is_raised_after_it() -> None:
    begun, may_end, done = asyncio.Event(), asyncio.Event(), list[str]()

    async def work() -> None:
        begun.set()
        await may_end.wait()
        done.append("work")

    task = asyncio.create_task(uncancelled(work()))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["work"]
