"""What is deleted with a project."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from bursar.services.platform.key_listing import keys_of_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from bursar.domain.projects import Project
    from bursar.ports import Collection, Directory, Platform
    from bursar.services.platform.provider_keys import ProviderKeys

RecordT = TypeVar("RecordT")

_PAGE = 100


class ProjectContents:
    """A project's sealed keys, shares, clients and budgets, and its virtual keys."""

    def __init__(
        self, platform: Platform, directory: Directory, provider_keys: ProviderKeys
    ) -> None:
        self._platform = platform
        self._directory = directory
        self._provider_keys = provider_keys

    async def remove_all(self, project: Project) -> None:
        """Delete everything that could be used; virtual keys stay listed and useless."""
        async for key in keys_of_project(self._directory, project.project_id):
            await self._directory.keys.change(key.key_id, {"is_active": False})
        for provider_key in await self._provider_keys.list(project, include_archived=True):
            await self._provider_keys.remove(provider_key)
        await _empty(self._platform.shares(project.project_id), lambda share: share.holder_id)
        await _empty(self._platform.budgets(project.project_id), lambda budget: budget.slot)
        await _empty(self._platform.clients(project.project_id), lambda client: client.client_id)


async def _empty(collection: Collection[RecordT], id_of: Callable[[RecordT], str]) -> None:
    while page := await collection.page(skip=0, limit=_PAGE):
        for record in page:
            await collection.remove(id_of(record))
