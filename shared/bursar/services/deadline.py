"""The end of a request's time, wherever in its life it comes."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from bursar.domain.errors import UpstreamTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# Where a process is ended by others, its end is a fact of the surroundings, known at the edge.
_LATEST: ContextVar[float] = ContextVar("latest", default=math.inf)


@contextmanager
def no_later_than(moment: float) -> Iterator[None]:
    """Bring every deadline of the block, and of the tasks it starts, forward to a moment."""
    token = _LATEST.set(moment)
    try:
        yield
    finally:
        _LATEST.reset(token)


def time_left_s(deadline: float) -> float:
    """How long it is until a reading of the monotonic clock, or `no_later_than` if that is sooner.

    At least zero.
    """
    return max(0.0, min(deadline, _LATEST.get()) - time.monotonic())


@asynccontextmanager
async def until(deadline: float) -> AsyncIterator[None]:
    """Bound a block by a reading of the monotonic clock, or by `no_later_than` if that is sooner.

    Raises:
        UpstreamTimeout: the block was not done by then.
    """
    try:
        async with asyncio.timeout(time_left_s(deadline)):
            yield
    except TimeoutError:
        raise UpstreamTimeout("The provider took longer than a request may take") from None
