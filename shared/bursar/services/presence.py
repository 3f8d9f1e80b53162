"""Work that is only worth doing while its caller is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

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


async def while_present(work: Coroutine[object, object, ResultT], gone: Gone) -> ResultT:
    """Do work until it is done, or until its caller has gone.

    Either way the work has ended when this returns: it is cancelled, and closes its own books
    before it lets the cancellation through.

    Raises:
        CallerGone: the caller was first.
    """
    working = asyncio.create_task(work)
    watching = asyncio.ensure_future(gone())
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watching.cancel()
        was_cut_short = working.cancel()
        await asyncio.wait({working, watching})
    if was_cut_short:
        raise CallerGone("The caller left before the answer began")
    return working.result()
