"""When a virtual key was last used, to the minute."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from bursar.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from datetime import datetime

    from bursar.domain.keys import VirtualKey
    from bursar.ports import Clock, Directory

_LOG = logging.getLogger(__name__)
_EVERY = timedelta(seconds=60)
_ENTRIES_MAX = 10_000


class LastUse:
    """Notes uses, at most one write a minute, key and process."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._noted: dict[str, datetime] = {}

    async def note(self, key: VirtualKey | None) -> None:
        """Write the time of use down, unless that was done within the minute."""
        now = self._clock()
        if key is None or now - self._last(key) < _EVERY:
            return
        if len(self._noted) >= _ENTRIES_MAX:
            self._noted.clear()
        self._noted[key.key_id] = now
        try:
            await self._directory.keys.change(key.key_id, {"last_used_at": now})
        except StoreUnavailable:
            _LOG.warning("a key's last use was not noted", extra={"key_id": key.key_id})

    def _last(self, key: VirtualKey) -> datetime:
        return self._noted.get(key.key_id) or key.last_used_at or key.created_at - _EVERY
