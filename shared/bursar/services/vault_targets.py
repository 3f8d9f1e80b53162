"""Which provider serves a project's request, with which key of its vault.

The address is the deployment's, the key is the project's. Nothing that the administrator keeps for
the deployment's own requests, neither keys nor headers, goes out with a project's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bursar.domain.errors import ModelNotFound, VaultClosed
from bursar.domain.keys import digest_of
from bursar.domain.projects import key_holder
from bursar.domain.upstream import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.models import ModelName
    from bursar.domain.projects import ProviderKey
    from bursar.domain.upstream import Provider
    from bursar.ports import Clock
    from bursar.services.credentials import Credential
    from bursar.services.project_lookup import ProjectLookup
    from bursar.services.targets import Targets


class VaultTargets:
    """The providers that projects can reach.

    Args:
        projects: what is sealed for them.
        targets: the deployment's own, of which only the addresses count here.
        catalogue: every provider, with the address that the deployment knows it by.
    """

    def __init__(
        self,
        projects: ProjectLookup,
        targets: Targets,
        catalogue: Mapping[str, Provider],
        clock: Clock,
    ) -> None:
        self._projects = projects
        self._targets = targets
        self._catalogue = catalogue
        self._clock = clock

    async def find(self, credential: Credential, project_id: str, model: ModelName) -> Target:
        """The target of a model, with the opened key of the project's vault.

        Raises:
            ModelNotFound: the project has no key of this provider, or the provider no address.
            VaultClosed: the caller's key does not open the provider's.
            StoreUnavailable: what is sealed, or the deployment's addresses, cannot be read.
        """
        target = self._keyless(model.provider, await self._targets.configured())
        if target is None:
            raise ModelNotFound(self._why_not(model.provider))
        holder_id = key_holder(digest_of(credential.presented))
        try:
            return await self._with_key(target, credential, project_id, holder_id)
        except (ModelNotFound, VaultClosed):
            # Something may have been replaced since it was read: what is there now decides.
            self._projects.forget_vault(project_id, holder_id)
            return await self._with_key(target, credential, project_id, holder_id)

    async def providers(self, project_id: str) -> frozenset[str]:
        """Those that a project has a key of, or needs none for."""
        keys = await self._projects.provider_keys(project_id)
        configured = await self._targets.configured()
        found = {name: self._keyless(name, configured) for name in {*keys, *configured}}
        return frozenset(
            name
            for name, target in found.items()
            if target is not None and (name in keys or not target.provider.needs_key)
        )

    async def _with_key(
        self, target: Target, credential: Credential, project_id: str, holder_id: str
    ) -> Target:
        provider = target.provider
        key = (await self._projects.provider_keys(project_id)).get(provider.name)
        if key is None and provider.needs_key:
            raise ModelNotFound(
                f"The project has no key of provider '{provider.name}' in use: add one with "
                "'bursar vault seal'. The gateway's own keys are not for projects"
            )
        if key is None:
            return target
        opened = await self._opened(credential, key, holder_id) if _is_wanted(key, target) else None
        return replace(target, api_key=opened, provider_key_id=key.provider_key_id)

    async def _opened(self, credential: Credential, key: ProviderKey, holder_id: str) -> str:
        from bursar.services.vault_opening import open_provider_key  # noqa: PLC0415 (see there)

        project = await self._projects.project(key.project_id)
        if project is None:
            raise ModelNotFound("This key's project no longer exists")
        share = None
        if not credential.is_vault_key:
            share = await self._projects.share(key.project_id, holder_id)
        return open_provider_key(credential, project, share, key, self._clock())

    def _keyless(self, name: str, configured: Mapping[str, Target]) -> Target | None:
        """A provider's address, without anything that the deployment keeps for itself."""
        own = configured.get(name)
        if own is not None:
            # A server of the administrator's own that was given a key does need one.
            needs_key = own.provider.needs_key or own.api_key is not None
            provider = replace(own.provider, needs_key=needs_key)
            return Target(provider, own.base_url, timeout_s=own.timeout_s)
        provider_row = self._catalogue.get(name)
        if provider_row is None or provider_row.base_url is None or not provider_row.needs_key:
            return None
        return Target(provider_row, provider_row.base_url)

    def _why_not(self, name: str) -> str:
        provider = self._catalogue.get(name)
        if provider is None:
            return f"This gateway does not speak with provider '{name}'"
        setting = provider.env_base or f"providers.{name}.api_base"
        return (
            f"Provider '{name}' has no common address: the gateway's administrator sets it "
            f"in {setting}"
        )


def _is_wanted(key: ProviderKey, target: Target) -> bool:
    """An empty text is no key, which only a provider that needs none can do with."""
    return bool(key.encrypted_key) or target.provider.needs_key
