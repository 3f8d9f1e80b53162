"""Work that must come to its end although its caller is cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

ResultT = TypeVar("ResultT")


async def uncancelled(work: Coroutine[object, object, ResultT]) -> ResultT:
    """Run work to its end; a cancellation meanwhile is raised after it, not inside it."""
    task = asyncio.ensure_future(work)
    cancellation: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancellation = error
        except Exception:  # noqa: BLE001 (raised by the result below)
            break
    result = task.result()
    if cancellation is not None:
        raise cancellation
    return result
