"""Clients of a project: its named parts, one of which may be the default.

Which one is the project's to say, so there is never a second. None is, until somebody says so: the
first client of a project is no more than the others.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from bursar.domain.errors import Conflict, NotFound
from bursar.domain.projects import Client, SpendPeriod, budget_slot
from bursar.services.listing import everything

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.domain.projects import Project
    from bursar.ports import Clock, Platform
    from bursar.services.platform.projects import Projects


class Clients:
    """The life of clients."""

    def __init__(self, platform: Platform, projects: Projects, clock: Clock) -> None:
        self._platform = platform
        self._projects = projects
        self._clock = clock

    async def list(self, project: Project) -> Sequence[Client]:
        """A project's clients, oldest first."""
        kept = everything(self._platform.clients(project.project_id))
        found = [client async for client in kept]
        return sorted(found, key=lambda client: (client.created_at, client.client_id))

    async def get(self, project: Project, client_id: str) -> Client:
        """Raises NotFound."""
        client = await self._platform.clients(project.project_id).get(client_id)
        if client is None:
            raise _no_such_client()
        return client

    async def create(self, project: Project, name: str) -> Client:
        """Add a client.

        Raises:
            Conflict: the project has one of this name.
        """
        await self._check_free(project, name, None)
        now = self._clock()
        client = Client(str(uuid.uuid4()), project.project_id, name, now, now)
        await self._platform.clients(project.project_id).put(client)
        try:
            await self._check_free(project, name, client.client_id)
        except Conflict:
            await self._platform.clients(project.project_id).remove(client.client_id)
            raise
        return client

    async def rename(self, project: Project, client_id: str, name: str) -> Client:
        """Give a client another name.

        Raises:
            NotFound: no such client.
            Conflict: the project has another one of this name.
        """
        await self._check_free(project, name, client_id)
        changes = {"name": name, "updated_at": self._clock()}
        changed = await self._platform.clients(project.project_id).change(client_id, changes)
        if changed is None:
            raise _no_such_client()
        return changed

    async def make_default(self, project: Project, client_id: str, *, is_default: bool) -> Project:
        """Make a client the default, or leave the project without one if this one is it.

        Raises:
            NotFound: no such client.
        """
        await self.get(project, client_id)
        if is_default:
            return await self._projects.set_default_client(project, client_id)
        if project.default_client_id == client_id:
            return await self._projects.set_default_client(project, None)
        return project

    async def remove(self, project: Project, client_id: str) -> None:
        """Delete a client and its budgets; usage records keep its id.

        Raises:
            NotFound: no such client.
        """
        await self.make_default(project, client_id, is_default=False)
        for period in SpendPeriod:
            slot = budget_slot(client_id, period)
            await self._platform.budgets(project.project_id).remove(slot)
        await self._platform.clients(project.project_id).remove(client_id)

    async def _check_free(self, project: Project, name: str, but_for: str | None) -> None:
        """Looked at before a client is added and after: of two at once, at most one stays."""
        for client in await self.list(project):
            if client.name == name and client.client_id != but_for:
                raise Conflict("The project has a client of this name")


def _no_such_client() -> NotFound:
    return NotFound("Client not found")
