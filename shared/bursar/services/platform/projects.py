"""Projects: making, listing, changing and deleting them.

A project's user in the gateway is made with it: its spending and its books are that user's.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bursar.domain.errors import Conflict, NotFound
from bursar.domain.projects import Project, project_user_id
from bursar.domain.users import User
from bursar.services.listing import everything
from bursar.services.platform.vault_names import VaultNames
from bursar.services.platform.vault_texts import public_key_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.domain.people import Person
    from bursar.ports import Clock, Directory, Platform
    from bursar.services.platform.members import Members
    from bursar.services.platform.project_contents import ProjectContents


@dataclass(frozen=True, slots=True)
class ProjectRequest:
    """What somebody says about a new project; the fields are those of `Project`."""

    name: str
    description: str | None = None
    encryption_key: str | None = None


class Projects:
    """The life of projects. Who calls has looked whether this person may."""

    def __init__(
        self,
        platform: Platform,
        directory: Directory,
        members: Members,
        contents: ProjectContents,
        clock: Clock,
    ) -> None:
        self._platform = platform
        self._directory = directory
        self._members = members
        self._contents = contents
        self._vaults = VaultNames(platform.links)
        self._clock = clock

    async def create(self, owner: Person, wanted: ProjectRequest) -> Project:
        """Make a project that belongs to one person.

        It has no vault until the end, so a crash leaves one that its owner can see and delete.

        Raises:
            InvalidRequest: no public key.
            Conflict: another project has this public key.
        """
        now, project_id = self._clock(), str(uuid.uuid4())
        key = None
        if wanted.encryption_key is not None:
            key = public_key_text(wanted.encryption_key, "encryption_key")
            await self._vaults.check_free(key)
        project = Project(project_id, wanted.name, now, now, wanted.description)
        await self._directory.users.put(_user_of(project))
        await self._platform.projects.put(project)
        await self._members.found(project_id, owner)
        return project if key is None else await self._with_first_vault(project, key)

    async def list(self, person: Person, *, skip: int, limit: int) -> tuple[Sequence[Project], int]:
        """A person's projects, oldest first, and how many there are in all."""
        memberships = everything(self._platform.memberships(person.person_id))
        ids = [membership.project_id async for membership in memberships]
        found = await asyncio.gather(*(self._platform.projects.get(each) for each in ids))
        mine = [project for project in found if project is not None]
        mine.sort(key=lambda project: (project.created_at, project.project_id))
        return mine[skip : skip + limit], len(mine)

    async def change(self, project: Project, changes: Mapping[str, Any]) -> Project:
        """Set the named fields; None clears one.

        Another public key is the rotation of published clients: the old one ends at once, and what
        is sealed stays as it is for them to seal anew.

        Raises:
            InvalidRequest: no public key.
            Conflict: another project has this public key.
        """
        wanted = {**changes, "updated_at": self._clock()}
        if wanted.get("encryption_key") is not None:
            wanted["encryption_key"] = public_key_text(wanted["encryption_key"], "encryption_key")
        if wanted.get("encryption_key", project.encryption_key) != project.encryption_key:
            return await self._with_another_vault(project, wanted)
        return await self._changed(project, wanted)

    async def set_default_client(self, project: Project, client_id: str | None) -> Project:
        """Make a client the one that requests without a name count for."""
        changes = {"default_client_id": client_id, "updated_at": self._clock()}
        return await self._changed(project, changes)

    async def remove(self, project: Project) -> None:
        """Delete a project and all that belongs to it but its books.

        Its members lose it last: interrupted, its owner can delete it again.
        """
        await self._contents.remove_all(project)
        now = self._clock()
        user_id = project_user_id(project.project_id)
        await self._directory.users.change(user_id, {"deleted_at": now, "updated_at": now})
        await self._vaults.release(_keys_of(project), project.project_id)
        await self._platform.projects.remove(project.project_id)
        await self._members.dissolve(project.project_id)

    async def _with_first_vault(self, project: Project, key: str) -> Project:
        try:
            return await self._with_another_vault(project, {"encryption_key": key})
        except Conflict:
            await self.remove(project)
            raise

    async def _with_another_vault(self, project: Project, wanted: dict[str, Any]) -> Project:
        key = wanted["encryption_key"]
        if key is not None:
            await self._vaults.claim(key, project.project_id)
        ended = {"previous_encryption_key": None, "previous_valid_until": None}
        changed = await self._changed(project, {**wanted, **ended})
        await self._vaults.release(_keys_of(project) - {key}, project.project_id)
        return changed

    async def _changed(self, project: Project, wanted: Mapping[str, Any]) -> Project:
        changed = await self._platform.projects.change(project.project_id, wanted)
        if changed is None:
            raise NotFound("Project not found")
        if "name" in wanted:
            alias = {"alias": changed.name, "updated_at": changed.updated_at}
            await self._directory.users.change(project_user_id(project.project_id), alias)
        return changed


def _user_of(project: Project) -> User:
    now = project.created_at
    user_id = project_user_id(project.project_id)
    return User(user_id, created_at=now, updated_at=now, accounting_since=now, alias=project.name)


def _keys_of(project: Project) -> set[str | None]:
    return {project.encryption_key, project.previous_encryption_key}
