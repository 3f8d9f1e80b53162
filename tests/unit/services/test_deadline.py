from __future__ import annotations

import asyncio
import math
import time

import pytest

from bursar.domain.errors import UpstreamTimeout
from bursar.services.deadline import no_later_than, until


async def test_a_block_that_is_not_done_by_its_deadline_is_a_provider_that_took_too_long() -> None:
    with pytest.raises(UpstreamTimeout):
        async with until(time.monotonic() + 0.01):
            await asyncio.Event().wait()


async def test_the_surroundings_end_brings_every_deadline_forward_in_tasks_too() -> None:
    async def work() -> None:
        async with until(math.inf):
            await asyncio.Event().wait()

    with no_later_than(time.monotonic() + 0.01):
        task = asyncio.create_task(work())
    with pytest.raises(UpstreamTimeout):
        await task


async def test_the_surroundings_end_holds_inside_its_block_only() -> None:
    with no_later_than(time.monotonic()):
        pass
    async with until(time.monotonic() + 60):
        await asyncio.sleep(0)


async def test_the_surroundings_end_puts_no_deadline_off() -> None:
    with no_later_than(time.monotonic() + 60), pytest.raises(UpstreamTimeout):
        async with until(time.monotonic()):
            await asyncio.Event().wait()
