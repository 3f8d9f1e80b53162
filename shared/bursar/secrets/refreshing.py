"""Targets whose keys are read again every few minutes, on the way of a request.

A function has no life between its requests, so there is no task beside them. The first request
after a start reads; nothing is read before, so that a snapshot of a started function holds no key.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from bursar.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bursar.domain.upstream import Target
    from bursar.secrets.parameters import Parameters

AGE_MAX_S: Final = 300.0
RETRIED_AFTER_S: Final = 30.0
_LOG = logging.getLogger(__name__)


class RefreshingTargets:
    """Call it before each request: it gives the targets as they were at most minutes ago.

    Where the parameters cannot be read, the last known targets stay in use.

    Args:
        parameters: where the keys are.
        path: what they are under.
        read: makes targets of the parameters' values.
        now_s: the Unix time. Not a monotonic clock: those may stand still in a frozen function.
    """

    def __init__(
        self,
        parameters: Parameters,
        path: str,
        read: Callable[[Mapping[str, str]], Mapping[str, Target]],
        now_s: Callable[[], float],
    ) -> None:
        self._parameters = parameters
        self._path = path
        self._read = read
        self._now_s = now_s
        self._known: Mapping[str, Target] | None = None
        self._due_s = 0.0

    async def __call__(self) -> Mapping[str, Target]:
        """The targets.

        Raises:
            StoreUnavailable: they were never read and cannot be now.
        """
        known = self._known
        if known is not None and self._now_s() < self._due_s:
            return known
        # Set first, so that of many requests at once only one waits for the parameters.
        self._due_s = self._now_s() + RETRIED_AFTER_S
        try:
            values = await self._parameters.under(self._path)
        except StoreUnavailable as failure:
            if known is None:
                raise
            _LOG.warning("provider keys not refreshed", extra={"reason": failure.message})
            return known
        self._known = self._read(values)
        self._due_s = self._now_s() + AGE_MAX_S
        return self._known
