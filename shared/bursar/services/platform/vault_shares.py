"""Who can open a project's vault: the vault's key, sealed once for every holder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.errors import Conflict, NotFound
from bursar.domain.projects import VaultShare, key_holder, person_holder
from bursar.services.listing import everything
from bursar.services.platform.in_force import opens_vault, share_in_force
from bursar.services.platform.vault_texts import public_key_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.domain.projects import Project
    from bursar.ports import Clock, Platform
    from bursar.services.platform.issuing import HolderShare


class VaultShares:
    """Keeps shares that holders of the vault's key have made; it can open none of them."""

    def __init__(self, platform: Platform, clock: Clock) -> None:
        self._platform = platform
        self._clock = clock

    async def list(self, project: Project) -> Sequence[VaultShare]:
        """All shares that open the vault with its present key, by holder."""
        kept = everything(self._platform.shares(project.project_id))
        shares = [share_in_force(share, project) async for share in kept]
        return [share for share in shares if opens_vault(share, project)]

    async def put_for_person(
        self, project: Project, person_id: str, share: HolderShare
    ) -> VaultShare:
        """Let a member open the vault on their machine.

        Raises:
            NotFound: no member.
            Conflict: sealed for another key than theirs, or the project has no vault.
        """
        if await self._platform.members(project.project_id).get(person_id) is None:
            raise NotFound("Member not found")
        person = await self._platform.people.get(person_id)
        key = None if person is None else person.account_public_key
        if key is None:
            raise Conflict("This member's account has no key to share with")
        if key != share.public_key:
            raise Conflict("This share is sealed for another key than the member's account has")
        return await self._put(project, person_holder(person_id), share)

    async def put_for_key(self, project: Project, digest: str, share: HolderShare) -> VaultShare:
        """Let a virtual key open the vault.

        Raises:
            InvalidRequest: no public key.
            Conflict: the project has no vault.
        """
        public_key_text(share.public_key, "share.public_key")
        return await self._put(project, key_holder(digest), share)

    async def remove_of_person(self, project: Project, person_id: str) -> None:
        """Take a share away. Who has opened the vault before may have kept its key.

        Raises:
            NotFound: no such share.
        """
        holder_id = person_holder(person_id)
        if not await self._platform.shares(project.project_id).remove(holder_id):
            raise NotFound("Vault share not found")

    async def remove_of_key(self, project_id: str, digest: str) -> None:
        await self._platform.shares(project_id).remove(key_holder(digest))

    async def _put(self, project: Project, holder_id: str, share: HolderShare) -> VaultShare:
        if project.encryption_key is None:
            raise Conflict("The project has no vault yet: set its encryption_key")
        now = self._clock()
        made = VaultShare(
            holder_id=holder_id,
            project_id=project.project_id,
            public_key=share.public_key,
            sealed=share.sealed,
            voucher=share.voucher,
            created_at=now,
            updated_at=now,
            sealed_to=project.encryption_key,
        )
        await self._platform.shares(project.project_id).put(made)
        return made
