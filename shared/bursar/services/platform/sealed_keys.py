"""Handing a sealed provider key to a client that can open it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bursar.domain.errors import Conflict, NotFound, StoreUnavailable
from bursar.domain.money import ZERO
from bursar.ports import Clock, Platform
from bursar.services.listing import everything
from bursar.services.platform.in_force import key_in_force
from bursar.services.platform.project_spending import ProjectSpending
from bursar.vault import format_of

if TYPE_CHECKING:
    from bursar.domain.projects import Project, ProviderKey, SealedKey
    from bursar.services.platform.access import ProjectSession

_LOG = logging.getLogger(__name__)
_NOTED_EVERY = timedelta(minutes=1)
FORMATS_OF_PUBLISHED_SDKS = frozenset({1})


@dataclass(frozen=True, slots=True)
class SealedKeys:
    """What direct clients fetch from a vault."""

    platform: Platform
    spending: ProjectSpending
    clock: Clock

    async def fetch(
        self,
        session: ProjectSession,
        provider: str,
        client_name: str | None,
        formats: frozenset[int] = FORMATS_OF_PUBLISHED_SDKS,
        lease_id: str | None = None,
    ) -> ProviderKey:
        """The project's key of a provider, sealed to the vault key that the caller has.

        Args:
            formats: those that the caller can open.
            lease_id: what the caller will spend from, where it has reserved that before.

        Raises:
            NotFound: there is none that the caller's vault key opens.
            BudgetExceeded: a budget of the project, or of its client, is exhausted.
            Conflict: it is sealed in a format that the caller does not know.
        """
        project = session.project
        key = await active_key(self.platform, project, provider)
        sealed = self._sealed_for(session, key)
        if key is None or sealed is None:
            raise NotFound(f"No provider key found for '{provider}' in this project")
        if format_of(sealed.sealed) not in formats:
            raise Conflict(
                f"The key of '{provider}' is sealed in a format that this client does not know: "
                "seal it again with 'bursar vault seal --format 1'"
            )
        if not await self._has_reserved(project, lease_id):
            client_id = await self.spending.client_named(project, client_name)
            limits = await self.spending.limits(project.project_id, client_id)
            await self.spending.check_not_exhausted(limits)
        await self._note_use(key)
        return replace(key, encrypted_key=sealed.sealed, version=sealed.version)

    def _sealed_for(self, session: ProjectSession, key: ProviderKey | None) -> SealedKey | None:
        """What the caller's vault key opens.

        An empty key is none. Told about it, SDKs up to 1.8.5 would take the `ANY_LLM_KEY` itself
        for the provider's key, and send it there.
        """
        if key is None:
            return None
        key = key_in_force(key, session.project)
        return key.sealed_for(session.public_key, self.clock()) if key.encrypted_key else None

    async def _has_reserved(self, project: Project, lease_id: str | None) -> bool:
        """A lease may hold the whole budget, which is why there is nothing left of it."""
        lease = await self.platform.leases.get(lease_id) if lease_id else None
        if lease is None or lease.project_id != project.project_id:
            return False
        is_running = lease.closed_at is None and self.clock() < lease.ends_at
        return is_running and lease.left_usd > ZERO

    async def _note_use(self, key: ProviderKey) -> None:
        now = self.clock()
        if key.last_used_at is not None and now - key.last_used_at < _NOTED_EVERY:
            return
        keys = self.platform.provider_keys(key.project_id)
        try:
            await keys.change(key.provider_key_id, {"last_used_at": now})
        except StoreUnavailable:
            _LOG.warning("a key's last use was not noted", extra={"key_id": key.provider_key_id})


async def active_key(platform: Platform, project: Project, provider: str) -> ProviderKey | None:
    """A project's key of a provider; should there be two, the newer one."""
    found: ProviderKey | None = None
    async for key in everything(platform.provider_keys(project.project_id)):
        is_wanted = key.provider == provider and key.archived_at is None
        if is_wanted and (found is None or key.created_at > found.created_at):
            found = key
    return found
