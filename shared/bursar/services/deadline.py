"""The end of a request's time, wherever in its life it comes."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bursar.domain.errors import UpstreamTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def until(deadline: float) -> AsyncIterator[None]:
    """Bound a block by a reading of the monotonic clock.

    Raises:
        UpstreamTimeout: the block was not done by then.
    """
    try:
        async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
            yield
    except TimeoutError:
        raise UpstreamTimeout("The provider took longer than a request may take") from None
