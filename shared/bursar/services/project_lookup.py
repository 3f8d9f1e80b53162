"""Reads of projects, kept in memory for a few seconds as those of the directory are.

What is kept is as it is in the table, sealed; nothing that was opened is.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bursar.services.fresh import Fresh
from bursar.services.listing import everything

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bursar.domain.projects import Client, Project, ProjectBudget, ProviderKey, VaultShare
    from bursar.ports import Platform


class ProjectLookup:
    """What a request in gateway mode needs to know of its project."""

    def __init__(self, platform: Platform, age_s: float) -> None:
        self._platform = platform
        # As with virtual keys: a guess costs one read, and none for the same guess again.
        find_vault = partial(platform.links.find, "vault")
        self._vaults: Fresh[str, str] = Fresh(find_vault, age_s, keeps_absence=True)
        self._projects: Fresh[str, Project] = Fresh(platform.projects.get, age_s)
        self._shares: Fresh[tuple[str, str], VaultShare] = Fresh(self._read_share, age_s)
        self._provider_keys: Fresh[str, Mapping[str, ProviderKey]] = Fresh(
            self._read_provider_keys, age_s
        )
        self._clients: Fresh[str, tuple[Client, ...]] = Fresh(self._read_clients, age_s)
        self._budgets: Fresh[str, tuple[ProjectBudget, ...]] = Fresh(self._read_budgets, age_s)

    async def project(self, project_id: str) -> Project | None:
        return await self._projects.get(project_id)

    async def project_of_vault(self, public_key: str, now: datetime) -> Project | None:
        """The project whose vault has this key, or had it until lately."""
        project_id = await self._vaults.get(public_key)
        if project_id is None:
            return None
        project = await self._projects.get(project_id)
        if project is not None and not project.accepts_vault(public_key, now):
            # The vault's key was rotated since, and the new one should work at once.
            project = await self._projects.get_again(project_id)
        return project if project and project.accepts_vault(public_key, now) else None

    async def share(self, project_id: str, holder_id: str) -> VaultShare | None:
        return await self._shares.get((project_id, holder_id))

    async def provider_keys(self, project_id: str) -> Mapping[str, ProviderKey]:
        """The keys in use, by provider."""
        return await self._provider_keys.get(project_id) or {}

    async def client_of(
        self, project: Project, client_id: str | None, name: str | None
    ) -> str | None:
        """The client that a request counts for: its key's, else the named, else the default.

        A name that there is not counts for the default: whoever invents one gains nothing by it.

        Args:
            client_id: the key's own client, past which no name leads.
            name: what the request says.
        """
        if client_id is None and not name:
            return project.default_client_id
        for client in await self._clients.get(project.project_id) or ():
            if client.client_id == client_id or (client_id is None and client.name == name):
                return client.client_id
        return project.default_client_id

    async def budgets(self, project_id: str) -> tuple[ProjectBudget, ...]:
        """The project's own and all its clients'."""
        return await self._budgets.get(project_id) or ()

    def forget_vault(self, project_id: str, holder_id: str) -> None:
        """Read what is sealed for a holder anew, with the project's word on which key is whose."""
        self._projects.forget(project_id)
        self._provider_keys.forget(project_id)
        self._shares.forget((project_id, holder_id))

    async def _read_share(self, ids: tuple[str, str]) -> VaultShare | None:
        project_id, holder_id = ids
        return await self._platform.shares(project_id).get(holder_id)

    async def _read_provider_keys(self, project_id: str) -> Mapping[str, ProviderKey]:
        kept = everything(self._platform.provider_keys(project_id))
        active = [key async for key in kept if key.archived_at is None]
        # Should there be two of a provider, the newer one is used.
        return {key.provider: key for key in sorted(active, key=lambda key: key.created_at)}

    async def _read_clients(self, project_id: str) -> tuple[Client, ...]:
        return tuple([client async for client in everything(self._platform.clients(project_id))])

    async def _read_budgets(self, project_id: str) -> tuple[ProjectBudget, ...]:
        return tuple([budget async for budget in everything(self._platform.budgets(project_id))])
