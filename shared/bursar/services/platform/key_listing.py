"""A project's virtual keys, found among all of the deployment's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.services.listing import everything

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bursar.domain.keys import VirtualKey
    from bursar.ports import Directory


async def keys_of_project(directory: Directory, project_id: str) -> AsyncIterator[VirtualKey]:
    """Read every key, as no index has a project's."""
    async for key in everything(directory.keys):
        if key.project_id == project_id:
            yield key
