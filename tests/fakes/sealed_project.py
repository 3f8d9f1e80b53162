"""A project with a vault, in any store, and what its administrator's machine knows of it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bursar.domain.keys import VirtualKey
from bursar.domain.projects import (
    Client,
    Project,
    ProjectBudget,
    ProviderKey,
    SpendPeriod,
    VaultShare,
    budget_slot,
    key_holder,
    project_user_id,
)
from bursar.domain.users import User
from bursar.services.listing import everything
from bursar.services.platform.issuing import issue_for_vault
from bursar.services.platform.rekeying import Rekeying, rekey, seal_provider_key
from bursar.services.platform.rules import PlatformRules
from bursar.services.platform.vault_rotation import (
    ResealedShare,
    VaultRotation,
    VaultRotationRequest,
)
from bursar.vault import AnyLlmKey

if TYPE_CHECKING:
    from datetime import datetime

    from bursar.bootstrap import Storage
    from bursar.ports import Clock, Platform

SEALED = "sk-canary-sealed-in-the-vault-0123456789"


class SealedProject:
    """Writes records as the platform does."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.storage = storage
        self.platform = storage.platform
        self.clock = clock
        self.project_id = str(uuid.uuid4())
        self.vault = AnyLlmKey.generate()

    @classmethod
    async def founded(cls, storage: Storage, clock: Clock) -> SealedProject:
        """A project with a user and a vault, in which nothing is."""
        made = cls(storage, clock)
        now = clock()
        await storage.directory.users.put(User(made.user_id, now, now, now))
        public_key = str(made.vault.private_key.public)
        project = Project(made.project_id, "web", now, now, encryption_key=public_key)
        await storage.platform.projects.put(project)
        assert await storage.platform.links.claim("vault", public_key, made.project_id)
        return made

    @property
    def user_id(self) -> str:
        return project_user_id(self.project_id)

    async def record(self) -> Project:
        found = await self.platform.projects.get(self.project_id)
        assert found is not None
        return found

    async def provider_key(self, provider_key_id: str) -> ProviderKey:
        found = await self.platform.provider_keys(self.project_id).get(provider_key_id)
        assert found is not None
        return found

    async def seal(
        self, provider: str = "openai", text: str = SEALED, *, sealed_format: int = 1
    ) -> str:
        """Seal a provider's key into the vault; its id."""
        recipient = self.vault.private_key.public
        sealed = seal_provider_key(text, recipient, self.project_id, provider, 1, sealed_format)
        return await self.put_sealed(provider, sealed)

    async def put_sealed(self, provider: str, sealed: str) -> str:
        key = ProviderKey(
            provider_key_id=str(uuid.uuid4()),
            project_id=self.project_id,
            provider=provider,
            encrypted_key=sealed,
            created_at=self.clock(),
            sealed_to=str(self.vault.private_key.public),
        )
        await self.platform.provider_keys(self.project_id).put(key)
        return key.provider_key_id

    async def reseal(self, provider_key_id: str, text: str, *, sealed_format: int = 1) -> None:
        """Put another text in a provider key's place, as its next version."""
        key = await self.provider_key(provider_key_id)
        recipient, version = self.vault.private_key.public, key.version + 1
        sealed = seal_provider_key(
            text, recipient, self.project_id, key.provider, version, sealed_format
        )
        changes = {
            "encrypted_key": sealed,
            "version": version,
            "sealed_to": str(recipient),
            "previous_encrypted_key": None,
            "previous_sealed_to": None,
            "previous_version": None,
            "previous_valid_until": None,
        }
        await self.platform.provider_keys(self.project_id).change(provider_key_id, changes)

    async def issue(self, *, oldest_format: int = 1, **fields: Any) -> str:
        """Issue a virtual key that opens the vault; its text."""
        text, digest = await self._share(oldest_format)
        key = VirtualKey(
            key_id=str(uuid.uuid4()),
            user_id=self.user_id,
            digest=digest,
            created_at=self.clock(),
            project_id=self.project_id,
            **fields,
        )
        await self.storage.directory.keys.put(key)
        await self.storage.directory.link_digest(digest, key.key_id)
        return text

    async def rotate_key(self, key_id: str, *, grace_s: int) -> str:
        """Replace a virtual key's text; the new one."""
        old = await self.storage.directory.keys.get(key_id)
        assert old is not None
        text, digest = await self._share(1)
        await self.storage.directory.link_digest(digest, key_id)
        changes = {
            "digest": digest,
            "previous_digest": old.digest,
            "previous_valid_until": self.clock() + timedelta(seconds=grace_s),
        }
        await self.storage.directory.keys.change(key_id, changes)
        return text

    async def _share(self, oldest_format: int) -> tuple[str, str]:
        made = issue_for_vault(self.vault.private_key, self.project_id, oldest_format=oldest_format)
        now = self.clock()
        share = VaultShare(
            holder_id=key_holder(made.digest),
            project_id=self.project_id,
            public_key=made.share.public_key,
            sealed=made.share.sealed,
            voucher=made.share.voucher,
            created_at=now,
            updated_at=now,
            sealed_to=str(self.vault.private_key.public),
        )
        await self.platform.shares(self.project_id).put(share)
        return made.virtual_key, made.digest

    async def client(self, name: str, *, is_default: bool = False) -> str:
        """Add a client; its id."""
        now, client_id = self.clock(), str(uuid.uuid4())
        client = Client(client_id, self.project_id, name, now, now)
        await self.platform.clients(self.project_id).put(client)
        if is_default:
            await self.platform.projects.change(self.project_id, {"default_client_id": client_id})
        return client_id

    async def budget(
        self,
        usd: str | Decimal,
        client_id: str | None = None,
        period: SpendPeriod = SpendPeriod.MONTHLY,
    ) -> ProjectBudget:
        """Set a limit of the project's, or of a client's."""
        now = self.clock()
        budget = ProjectBudget(
            slot=budget_slot(client_id, period),
            budget_id=str(uuid.uuid4()),
            project_id=self.project_id,
            spend_period=period,
            limit_usd=Decimal(usd),
            created_at=now,
            updated_at=now,
            client_id=client_id,
        )
        await self.platform.budgets(self.project_id).put(budget)
        return budget

    async def rekeyed(self, new: AnyLlmKey) -> Rekeying:
        """Prepare a rotation of the vault's key as the command does on its machine."""
        keys = everything(self.platform.provider_keys(self.project_id))
        shares = everything(self.platform.shares(self.project_id))
        return rekey(
            self.vault.private_key,
            new.private_key,
            self.project_id,
            [key async for key in keys],
            [share async for share in shares],
        )

    async def rotate_vault(
        self, changes: Rekeying, grace_s: int, *, platform: Platform | None = None
    ) -> None:
        """Carry a rotation out as the control plane does, on another platform if one is given."""
        rotation = VaultRotation(
            platform or self.platform, self.storage.directory, PlatformRules(), self.clock
        )
        shares = {
            holder: ResealedShare(share.sealed, share.voucher) for holder, share in changes.shares
        }
        request = VaultRotationRequest(
            changes.encryption_key, changes.provider_keys, shares, grace_s
        )
        await rotation.rotate(await self.record(), request)

    def until(self, **duration: float) -> datetime:
        return self.clock() + timedelta(**duration)
