"""Another key for a vault, with everything in it sealed anew, while its users go on working.

Each record is written once and keeps what it replaced beside it. The project's comes last: until
then a rotation has not happened, and after a crash it can be repeated, or another be made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bursar.domain.errors import Conflict, NotFound, Unprocessable
from bursar.domain.projects import ProviderKey, VaultShare, key_holder, person_holder
from bursar.services.listing import everything
from bursar.services.platform.in_force import key_in_force, opens_vault, share_in_force
from bursar.services.platform.key_listing import keys_of_project
from bursar.services.platform.rekeying import Resealed
from bursar.services.platform.vault_names import VaultNames
from bursar.services.platform.vault_texts import check_sealed_key, public_key_text

if TYPE_CHECKING:
    from datetime import datetime

    from bursar.domain.keys import VirtualKey
    from bursar.domain.projects import Project
    from bursar.ports import Clock, Directory, Platform
    from bursar.services.platform.rules import PlatformRules


@dataclass(frozen=True, slots=True)
class ResealedShare:
    """The new vault key, sealed for one holder."""

    sealed: str
    voucher: str


@dataclass(frozen=True, slots=True)
class VaultRotationRequest:
    """Everything that changes with a vault's key, made where both keys are known.

    Attributes:
        encryption_key: the public half of the new key.
        provider_keys: every provider key that has a text, archived ones too.
        shares: by holder, everybody's who still can open the vault.
        grace_s: how much longer the old key proves that its holder belongs to the project.
    """

    encryption_key: str
    provider_keys: Sequence[Resealed]
    shares: Mapping[str, ResealedShare]
    grace_s: int


@dataclass(frozen=True, slots=True)
class _Vault:
    """What is in a vault, as it is in force, and the shares that nobody can use any more.

    Attributes:
        key: the public half of the key that is to be replaced.
    """

    key: str
    provider_keys: Sequence[ProviderKey]
    shares: Sequence[VaultShare]
    lapsed: Sequence[VaultShare]

    def must_reseal(self, key: ProviderKey) -> bool:
        """What is sealed for a key before this one stays: nobody need be able to open it."""
        return bool(key.encrypted_key) and key.sealed_to == self.key


class VaultRotation:
    """Carries out rotations that were prepared elsewhere."""

    def __init__(
        self, platform: Platform, directory: Directory, rules: PlatformRules, clock: Clock
    ) -> None:
        self._platform = platform
        self._directory = directory
        self._rules = rules
        self._clock = clock
        self._vaults = VaultNames(platform.links)

    async def rotate(self, project: Project, wanted: VaultRotationRequest) -> Project:
        """Replace a vault's key. Harmless to repeat, whether it came to its end or not.

        Raises:
            InvalidRequest: no public key, or a text that is not sealed.
            Unprocessable: too long a grace period.
            Conflict: the request leaves something out, or was made for another state of the vault,
                or another project has the new key; nothing has changed.
        """
        new_key = public_key_text(wanted.encryption_key, "encryption_key")
        self._check(wanted)
        if project.encryption_key == new_key:
            return project
        vault = await self._vault(project)
        _check_complete(vault, wanted, new_key)
        await self._vaults.claim(new_key, project.project_id)
        now = self._clock()
        grace_end = now + timedelta(seconds=wanted.grace_s)
        await self._write_contents(vault, wanted, new_key, grace_end)
        return await self._write_project(project, new_key, now, grace_end)

    def _check(self, wanted: VaultRotationRequest) -> None:
        if wanted.grace_s > self._rules.grace_s_max:
            longest = f"A grace period has at most {self._rules.grace_s_max} seconds"
            raise Unprocessable(longest, param="grace_period_sec")
        for resealed in wanted.provider_keys:
            check_sealed_key(resealed.encrypted_key)

    async def _vault(self, project: Project) -> _Vault:
        if project.encryption_key is None:
            raise Conflict("The project has no vault yet: set its encryption_key")
        project_id = project.project_id
        keys = everything(self._platform.provider_keys(project_id))
        holders = await self._holders(project_id)
        kept = everything(self._platform.shares(project_id))
        shares = [share_in_force(share, project) async for share in kept]
        living = {
            share.holder_id
            for share in shares
            if share.holder_id in holders and opens_vault(share, project)
        }
        return _Vault(
            project.encryption_key,
            [key_in_force(key, project) async for key in keys],
            [share for share in shares if share.holder_id in living],
            [share for share in shares if share.holder_id not in living],
        )

    async def _holders(self, project_id: str) -> set[str]:
        """Everybody who is still there: members, and virtual keys by each digest that works."""
        now = self._clock()
        members = everything(self._platform.members(project_id))
        found = {person_holder(member.person_id) async for member in members}
        async for key in keys_of_project(self._directory, project_id):
            found.update(key_holder(digest) for digest in _digests_of(key, now))
        return found

    async def _write_contents(
        self, vault: _Vault, wanted: VaultRotationRequest, new_key: str, until: datetime
    ) -> None:
        texts = {each.provider_key_id: each for each in wanted.provider_keys}
        for key in vault.provider_keys:
            # Without a text there is nothing to seal, and the record only says for whom it is.
            empty = None if key.encrypted_key else Resealed(key.provider_key_id, "", key.version)
            resealed = texts.get(key.provider_key_id, empty)
            if resealed is not None and key.sealed_to != new_key:
                await self._write_key(vault, key, resealed, new_key, until)
        for share in vault.shares:
            resealed_share = wanted.shares[share.holder_id]
            await self._write_share(vault, share, resealed_share, new_key, until)
        for share in vault.lapsed:
            await self._platform.shares(share.project_id).remove(share.holder_id)

    async def _write_key(
        self, vault: _Vault, key: ProviderKey, resealed: Resealed, new_key: str, until: datetime
    ) -> None:
        changes = {
            "encrypted_key": resealed.encrypted_key,
            "sealed_to": new_key,
            "version": resealed.version,
            "updated_at": self._clock(),
            "previous_encrypted_key": key.encrypted_key,
            "previous_sealed_to": vault.key,
            "previous_version": key.version,
            "previous_valid_until": until,
        }
        await self._platform.provider_keys(key.project_id).change(key.provider_key_id, changes)

    async def _write_share(
        self,
        vault: _Vault,
        share: VaultShare,
        resealed: ResealedShare,
        new_key: str,
        until: datetime,
    ) -> None:
        changes = {
            "sealed": resealed.sealed,
            "voucher": resealed.voucher,
            "sealed_to": new_key,
            "updated_at": self._clock(),
            "previous_sealed": share.sealed,
            "previous_voucher": share.voucher,
            "previous_sealed_to": vault.key,
            "previous_valid_until": until,
        }
        await self._platform.shares(share.project_id).change(share.holder_id, changes)

    async def _write_project(
        self, project: Project, new_key: str, now: datetime, grace_end: datetime
    ) -> Project:
        in_grace = grace_end > now
        changes = {
            "encryption_key": new_key,
            "updated_at": now,
            "previous_encryption_key": project.encryption_key if in_grace else None,
            "previous_valid_until": grace_end if in_grace else None,
        }
        changed = await self._platform.projects.change(project.project_id, changes)
        if changed is None:
            raise NotFound("Project not found")
        ended = {project.encryption_key, project.previous_encryption_key}
        kept = {changed.encryption_key, changed.previous_encryption_key}
        await self._vaults.release(ended - kept, project.project_id)
        return changed


def _check_complete(vault: _Vault, wanted: VaultRotationRequest, new_key: str) -> None:
    """Raises Conflict, naming what is wrong."""
    resealed = {each.provider_key_id: each for each in wanted.provider_keys}
    keys = [key for key in vault.provider_keys if key.sealed_to != new_key]
    faults = [
        f"{_name(key)} is missing"
        for key in keys
        if vault.must_reseal(key) and key.provider_key_id not in resealed
    ]
    faults += [
        f"{_name(key)} has version {key.version}, so its next one is {key.version + 1}"
        for key in keys
        if key.provider_key_id in resealed
        and resealed[key.provider_key_id].version != key.version + 1
    ]
    faults += [
        f"the share of {share.holder_id} is missing"
        for share in vault.shares
        if share.holder_id not in wanted.shares
    ]
    if faults:
        raise Conflict(f"Nothing was changed: {'; '.join(faults)}")


def _name(key: ProviderKey) -> str:
    return f"provider key {key.provider_key_id} ({key.provider})"


def _digests_of(key: VirtualKey, now: datetime) -> set[str]:
    is_in_grace = key.previous_valid_until is not None and now < key.previous_valid_until
    previous = {key.previous_digest} if is_in_grace and key.previous_digest else set()
    return {key.digest} | previous
