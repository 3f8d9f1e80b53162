"""When a virtual key, or a project's provider key, was last used, to the minute."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bursar.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from datetime import datetime

    from bursar.domain.keys import VirtualKey
    from bursar.domain.projects import Project
    from bursar.ports import Clock, Collection, Directory, Platform

_LOG = logging.getLogger(__name__)
_EVERY = timedelta(seconds=60)
_ENTRIES_MAX = 10_000


class LastUse:
    """Notes uses, at most one write a minute, key and process."""

    def __init__(self, directory: Directory, platform: Platform, clock: Clock) -> None:
        self._directory = directory
        self._platform = platform
        self._clock = clock
        self._noted: dict[str, datetime] = {}

    async def note(self, key: VirtualKey | None) -> None:
        """Write a virtual key's time of use down, unless that was done within the minute."""
        if key is not None:
            await self._note(self._directory.keys, key.key_id, key.last_used_at)

    async def note_provider_key(self, project: Project | None, provider_key_id: str | None) -> None:
        """The same of a key in a project's vault."""
        if project is not None and provider_key_id is not None:
            keys = self._platform.provider_keys(project.project_id)
            await self._note(keys, provider_key_id, None)

    async def _note(self, keys: Collection[Any], key_id: str, known: datetime | None) -> None:
        now, last = self._clock(), self._noted.get(key_id) or known
        if last is not None and now - last < _EVERY:
            return
        if len(self._noted) >= _ENTRIES_MAX:
            self._noted.clear()
        self._noted[key_id] = now
        try:
            await keys.change(key_id, {"last_used_at": now})
        except StoreUnavailable:
            _LOG.warning("a key's last use was not noted", extra={"key_id": key_id})
