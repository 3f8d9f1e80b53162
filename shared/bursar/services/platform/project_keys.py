"""Virtual keys of a project, which open its vault.

Their text is made on an administrator's machine and never here: what comes is the digest that finds
a key and the share that only the text opens. A key works once both are there and the record vouches
for the digest, so a crash between two writes leaves nothing that works unlisted, and nothing listed
that works without its vault.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bursar.domain.errors import Conflict, NotFound
from bursar.domain.keys import VirtualKey
from bursar.domain.projects import project_user_id
from bursar.services.allow_lists import check_allow_list
from bursar.services.platform.issuing import HolderShare
from bursar.services.platform.key_listing import keys_of_project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.domain.projects import Project
    from bursar.ports import Clock, Directory, Platform
    from bursar.services.platform.clients import Clients
    from bursar.services.platform.vault_shares import VaultShares


@dataclass(frozen=True, slots=True)
class ProjectKeyRequest:
    """What somebody says about a new virtual key; the fields are those of `VirtualKey`."""

    digest: str
    share: HolderShare
    key_name: str | None = None
    client_id: str | None = None
    expires_at: datetime | None = None
    allowed_models: tuple[str, ...] | None = None
    rate_limit_rpm: int | None = None
    rate_limit_tpm: int | None = None


class ProjectKeys:
    """The life of a project's virtual keys."""

    def __init__(
        self,
        platform: Platform,
        directory: Directory,
        clients: Clients,
        shares: VaultShares,
        clock: Clock,
    ) -> None:
        self._platform = platform
        self._directory = directory
        self._clients = clients
        self._shares = shares
        self._clock = clock

    async def list(self, project: Project) -> Sequence[VirtualKey]:
        """A project's keys, oldest first."""
        kept = keys_of_project(self._directory, project.project_id)
        found = [key async for key in kept]
        return sorted(found, key=lambda key: (key.created_at, key.key_id))

    async def get(self, project: Project, key_id: str) -> VirtualKey:
        """Raises NotFound."""
        key = await self._directory.keys.get(key_id)
        if key is None or key.project_id != project.project_id:
            raise _no_such_key()
        return key

    async def create(self, project: Project, wanted: ProjectKeyRequest) -> VirtualKey:
        """Enter a key that was made elsewhere.

        Raises:
            InvalidRequest: the share is for no public key, or an allowed model is none.
            NotFound: no such client.
            Conflict: the digest is in use, the project has no vault, or it was rotated meanwhile.
        """
        await self._check_free(wanted.digest)
        await check_allow_list(self._directory.aliases, wanted.allowed_models)
        if wanted.client_id is not None:
            await self._clients.get(project, wanted.client_id)
        await self._shares.put_for_key(project, wanted.digest, wanted.share)
        key = _new_key(project, wanted, self._clock())
        await self._directory.keys.put(key)
        await self._directory.link_digest(key.digest, key.key_id)
        if await self._has_been_rotated(project):
            await self.remove(key)
            raise _rotated()
        return key

    async def change(
        self, project: Project, key: VirtualKey, changes: Mapping[str, Any]
    ) -> VirtualKey:
        """Set the named fields; None clears one.

        Raises:
            NotFound: no such client.
            Unprocessable: an allowed model is none.
        """
        await check_allow_list(self._directory.aliases, changes.get("allowed_models"))
        if changes.get("client_id") is not None:
            await self._clients.get(project, changes["client_id"])
        return await self._changed(key, changes)

    async def rotate(
        self, project: Project, key: VirtualKey, digest: str, share: HolderShare, *, grace_s: int
    ) -> VirtualKey:
        """Replace a key's text by another that was made elsewhere; the old works `grace_s` longer.

        Raises:
            InvalidRequest: the share is for no public key.
            Conflict: the digest is in use, the project has no vault, or it was rotated meanwhile.
        """
        await self._check_free(digest)
        await self._shares.put_for_key(project, digest, share)
        await self._directory.link_digest(digest, key.key_id)
        if await self._has_been_rotated(project):
            await self._forget(project.project_id, {digest})
            raise _rotated()
        changed = await self._changed(key, {"digest": digest, **self._grace(key, grace_s)})
        await self._forget(project.project_id, _digests_of(key) - _digests_of(changed))
        return changed

    async def remove(self, key: VirtualKey) -> None:
        """Revoke a key for good. Its usage records stay, under its id."""
        await self._directory.keys.remove(key.key_id)
        await self._forget(key.project_id or "", _digests_of(key))

    async def _check_free(self, digest: str) -> None:
        if await self._directory.key_id_of(digest) is not None:
            raise Conflict("There is a key with this digest")

    async def _has_been_rotated(self, project: Project) -> bool:
        """Tell whether a new share may open a key that the vault has no more."""
        current = await self._platform.projects.get(project.project_id)
        return current is None or current.encryption_key != project.encryption_key

    async def _changed(self, key: VirtualKey, changes: Mapping[str, Any]) -> VirtualKey:
        changed = await self._directory.keys.change(key.key_id, changes)
        if changed is None:
            raise _no_such_key()
        return changed

    def _grace(self, key: VirtualKey, grace_s: int) -> dict[str, Any]:
        if grace_s == 0:
            return {"previous_digest": None, "previous_valid_until": None}
        valid_until = self._clock() + timedelta(seconds=grace_s)
        return {"previous_digest": key.digest, "previous_valid_until": valid_until}

    async def _forget(self, project_id: str, digests: set[str]) -> None:
        for digest in digests:
            await self._directory.unlink_digest(digest)
            await self._shares.remove_of_key(project_id, digest)


def _new_key(project: Project, wanted: ProjectKeyRequest, now: datetime) -> VirtualKey:
    return VirtualKey(
        key_id=str(uuid.uuid4()),
        user_id=project_user_id(project.project_id),
        digest=wanted.digest,
        created_at=now,
        key_name=wanted.key_name,
        expires_at=wanted.expires_at,
        allowed_models=wanted.allowed_models,
        rate_limit_rpm=wanted.rate_limit_rpm,
        rate_limit_tpm=wanted.rate_limit_tpm,
        project_id=project.project_id,
        client_id=wanted.client_id,
    )


def _digests_of(key: VirtualKey) -> set[str]:
    return {digest for digest in (key.digest, key.previous_digest) if digest is not None}


def _no_such_key() -> NotFound:
    return NotFound("Virtual key not found")


def _rotated() -> Conflict:
    return Conflict("The vault's key was rotated meanwhile: share the new one")
