"""Work that is only worth doing while its caller is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from bursar.services.uncancelled import uncancelled

if TYPE_CHECKING:
    from collections.abc import Coroutine

Gone = Callable[[], Awaitable[None]]
"""Returns when a caller has left."""

ResultT = TypeVar("ResultT")


class CallerGone(OSError):
    """The caller closed the connection before the answer was complete."""


async def never() -> None:
    """Of a caller whose leaving nobody can tell."""
    await asyncio.Event().wait()


async def while_present(
    work: Callable[[], Coroutine[object, object, ResultT]], gone: Gone
) -> ResultT:
    """Do work until it is done, or until its caller has gone; of one who has, it is not begun.

    Either way the work has ended when this returns: it is cancelled, and closes what it has opened
    before it lets the cancellation through.

    Raises:
        CallerGone: the caller was first.
    """
    watching = asyncio.ensure_future(gone())
    try:
        # One turn of the loop is what those need to be heard who have left by now.
        await asyncio.sleep(0)
        if watching.done():
            raise CallerGone("The caller left before the request was sent")
        return await _until_gone(asyncio.create_task(work()), watching)
    finally:
        watching.cancel()


async def _until_gone(working: asyncio.Task[ResultT], watching: asyncio.Future[None]) -> ResultT:
    both: set[asyncio.Future[Any]] = {working, watching}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watching.cancel()
        was_cut_short = working.cancel()
        await uncancelled(asyncio.wait(both))
    if was_cut_short:
        raise CallerGone("The caller left before the answer began")
    return working.result()
