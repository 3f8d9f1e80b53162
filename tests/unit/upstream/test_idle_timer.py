"""One timer bounds each of many waits, and none of them by the ones before it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bursar.upstream.idle_timer import IdleTimer

if TYPE_CHECKING:
    import pytest

_LONG_S = 60.0


async def test_many_waits_set_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    call_later, set_for = loop.call_later, []

    def counted(delay: float, *arguments: object) -> asyncio.TimerHandle:
        set_for.append(delay)
        return call_later(delay, *arguments)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(loop, "call_later", counted)
    idle = IdleTimer(_LONG_S, _unexpected)
    for _ in range(100):
        idle.start()
        idle.stop()
    idle.close()
    assert set_for == [_LONG_S]


async def test_a_wait_that_is_too_long_fails_and_its_timer_is_the_only_one_it_needs() -> None:
    failure = asyncio.get_running_loop().create_future()
    idle = IdleTimer(0.02, failure.set_result)
    idle.start()
    async with asyncio.timeout(30):
        assert isinstance(await failure, TimeoutError)


async def test_a_wait_that_begins_late_gets_all_of_its_time() -> None:
    loop = asyncio.get_running_loop()
    failed_at = loop.create_future()
    idle = IdleTimer(0.1, lambda _: failed_at.set_result(loop.time()))
    idle.start()
    idle.stop()
    await asyncio.sleep(0.06)
    began = loop.time()
    idle.start()
    async with asyncio.timeout(30):
        assert await failed_at - began >= 0.1


async def test_no_time_passes_between_two_waits() -> None:
    idle = IdleTimer(0.01, _unexpected)
    for _ in range(3):
        idle.start()
        idle.stop()
        await asyncio.sleep(0.05)


async def test_nothing_fails_once_it_is_closed() -> None:
    idle = IdleTimer(0.01, _unexpected)
    idle.start()
    idle.close()
    await asyncio.sleep(0.05)


def _unexpected(error: BaseException) -> None:
    asyncio.get_running_loop().stop()  # a callback's own exception would only be logged
    raise AssertionError(error)
