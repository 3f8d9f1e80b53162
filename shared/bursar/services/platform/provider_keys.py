"""Provider keys in vaults: sealed on clients, kept, replaced and archived here."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from bursar.domain.errors import Conflict, NotFound
from bursar.domain.projects import ProviderKey
from bursar.services.listing import everything
from bursar.services.platform.in_force import key_in_force
from bursar.services.platform.vault_texts import check_sealed_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.domain.people import Person, Role
    from bursar.domain.projects import Project
    from bursar.ports import Clock, Platform
    from bursar.services.platform.access import Access

_LINK = "provider-key"
_NOTHING_BEFORE = {
    "previous_encrypted_key": None,
    "previous_sealed_to": None,
    "previous_version": None,
    "previous_valid_until": None,
}


class ProviderKeys:
    """The life of provider keys."""

    def __init__(self, platform: Platform, access: Access, clock: Clock) -> None:
        self._platform = platform
        self._access = access
        self._clock = clock

    async def reached(
        self, person: Person, provider_key_id: str, needed: Role
    ) -> tuple[Project, ProviderKey]:
        """A key by its id alone, for somebody who may do in its project what `needed` may.

        Raises:
            NotFound: no such key, or in a project that is not theirs, which looks the same.
            Forbidden: theirs, but not in this role.
        """
        project_id = await self._project_id_of(provider_key_id)
        try:
            project = await self._access.membership(person, project_id or "", needed)
        except NotFound:
            raise _no_such_key() from None
        key = await self._platform.provider_keys(project.project_id).get(provider_key_id)
        if key is None:
            raise _no_such_key()
        return project, key_in_force(key, project)

    async def list(self, project: Project, *, include_archived: bool) -> Sequence[ProviderKey]:
        """A project's keys, oldest first."""
        kept = everything(self._platform.provider_keys(project.project_id))
        found = [key_in_force(key, project) async for key in kept]
        found.sort(key=lambda key: (key.created_at, key.provider_key_id))
        return [key for key in found if include_archived or key.archived_at is None]

    async def create(self, project: Project, provider: str, encrypted_key: str) -> ProviderKey:
        """Keep a provider's key; an empty one is for providers that need none.

        Raises:
            InvalidRequest: not sealed.
            Conflict: the project has an active key of this provider.
        """
        _check(encrypted_key)
        await self._check_only_one(project, provider, None)
        key = ProviderKey(
            provider_key_id=str(uuid.uuid4()),
            project_id=project.project_id,
            provider=provider,
            encrypted_key=encrypted_key,
            created_at=self._clock(),
            sealed_to=project.encryption_key,
        )
        # The link first: a key without one could be neither changed nor deleted.
        await self._platform.links.claim(_LINK, key.provider_key_id, project.project_id)
        await self._platform.provider_keys(project.project_id).put(key)
        try:
            await self._check_only_one(project, provider, key.provider_key_id)
        except Conflict:
            await self.remove(key)
            raise
        return key

    async def replace(self, project: Project, key: ProviderKey, encrypted_key: str) -> ProviderKey:
        """Keep another text under the same id, as its next version; archived keys stay so.

        Raises:
            InvalidRequest: not sealed.
        """
        _check(encrypted_key)
        changes = {
            "encrypted_key": encrypted_key,
            "sealed_to": project.encryption_key,
            "version": key.version + 1,
            "updated_at": self._clock(),
            **_NOTHING_BEFORE,
        }
        return await self._changed(key, changes)

    async def archive(self, key: ProviderKey) -> ProviderKey:
        """Stop a key's use and keep it; harmless where it is archived."""
        if key.archived_at is not None:
            return key
        now = self._clock()
        return await self._changed(key, {"archived_at": now, "updated_at": now})

    async def unarchive(self, project: Project, key: ProviderKey) -> ProviderKey:
        """Let an archived key be used again; harmless where it is active.

        Raises:
            Conflict: the project has another active key of this provider.
        """
        if key.archived_at is None:
            return key
        await self._check_only_one(project, key.provider, key.provider_key_id)
        active = await self._changed(key, {"archived_at": None, "updated_at": self._clock()})
        try:
            await self._check_only_one(project, key.provider, key.provider_key_id)
        except Conflict:
            await self._changed(key, {"archived_at": key.archived_at})
            raise
        return active

    async def remove(self, key: ProviderKey) -> None:
        """Delete a key for good. Usage records keep its id."""
        await self._platform.provider_keys(key.project_id).remove(key.provider_key_id)
        await self._platform.links.release(_LINK, key.provider_key_id, key.project_id)

    async def _project_id_of(self, provider_key_id: str) -> str | None:
        return (
            await self._platform.links.find(_LINK, provider_key_id)
            if _is_uuid(provider_key_id)
            else None
        )

    async def _check_only_one(self, project: Project, provider: str, but_for: str | None) -> None:
        """Looked at before a key becomes active and after: of two at once, at most one stays."""
        for key in await self.list(project, include_archived=False):
            if key.provider == provider and key.provider_key_id != but_for:
                raise Conflict(f"The project has an active key of {provider}: archive it first")

    async def _changed(self, key: ProviderKey, changes: dict[str, Any]) -> ProviderKey:
        changed = await self._platform.provider_keys(key.project_id).change(
            key.provider_key_id, changes
        )
        if changed is None:
            raise _no_such_key()
        return changed


def _check(encrypted_key: str) -> None:
    if encrypted_key:
        check_sealed_key(encrypted_key)


def _is_uuid(text: str) -> bool:
    """The store's keys have a longest length, and nothing else is an id here."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _no_such_key() -> NotFound:
    return NotFound("Provider key not found")
