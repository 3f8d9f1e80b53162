"""Which provider serves a project's request, with which key of its vault.

The address is the deployment's, the key is the project's. Nothing that the administrator keeps for
the deployment's own requests, neither keys nor headers, goes out with a project's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bursar.domain.errors import ModelNotFound, VaultClosed
from bursar.domain.keys import digest_of
from bursar.domain.projects import key_holder
from bursar.domain.service_accounts import parse_service_account
from bursar.domain.upstream import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.models import ModelName
    from bursar.domain.projects import ProviderKey
    from bursar.ports import Clock
    from bursar.services.credentials import Credential
    from bursar.services.project_lookup import ProjectLookup
    from bursar.services.targets import Targets

_GOOGLE: Final = "google"
# Parameters that say who the deployment is, or whose the bill is.
_DEPLOYMENTS_OWN: Final = frozenset({"client_id", "credentials_file", "project", "tenant_id"})


class VaultTargets:
    """The providers that projects can reach.

    Args:
        projects: what is sealed for them.
        targets: the deployment's own, of which only the addresses count here.
        catalogue: every provider where the deployment finds it, without any key; the base URL is
            empty where it has no address.
    """

    def __init__(
        self,
        projects: ProjectLookup,
        targets: Targets,
        catalogue: Mapping[str, Target],
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
        opened = None
        if _is_wanted(key, target):
            is_file = provider.auth == _GOOGLE
            opened = await self._opened(credential, key, holder_id, is_file=is_file)
        keyed = replace(target, api_key=opened, provider_key_id=key.provider_key_id)
        return keyed if provider.auth == "key" else _authorized(keyed)

    async def _opened(
        self, credential: Credential, key: ProviderKey, holder_id: str, *, is_file: bool
    ) -> str:
        from bursar.services.vault_opening import open_provider_key  # noqa: PLC0415 (see there)

        project = await self._projects.project(key.project_id)
        if project is None:
            raise ModelNotFound("This key's project no longer exists")
        share = None
        if not credential.is_vault_key:
            share = await self._projects.share(key.project_id, holder_id)
        return open_provider_key(credential, project, share, key, self._clock(), is_file=is_file)

    def _keyless(self, name: str, configured: Mapping[str, Target]) -> Target | None:
        """A provider's address, without anything that the deployment keeps for itself."""
        own = configured.get(name)
        if own is not None:
            return _open_to_projects(own)
        known = self._catalogue.get(name)
        if known is None or not known.base_url:
            return None
        target = _open_to_projects(known)
        return target if target.provider.needs_key else None

    def _why_not(self, name: str) -> str:
        known = self._catalogue.get(name)
        if known is None:
            return f"This gateway does not speak with provider '{name}'"
        setting = known.provider.env_base or f"providers.{name}.api_base"
        return (
            f"Provider '{name}' has no common address: the gateway's administrator sets it "
            f"in {setting}"
        )


def _open_to_projects(own: Target) -> Target:
    """An address without the deployment's credentials, identities included.

    A provider that the process's own role may call wants a key of every project: the role is the
    deployment's. So does a server of the administrator's own that was given a key.
    """
    provider = own.provider
    auth = "key" if provider.auth == provider.identity_auth else provider.auth
    needs_key = provider.needs_key or own.api_key is not None or auth != "key"
    return Target(
        replace(provider, auth=auth, needs_key=needs_key),
        own.base_url,
        timeout_s=own.timeout_s,
        parameters={k: v for k, v in own.parameters.items() if k not in _DEPLOYMENTS_OWN},
        allows_private=own.allows_private,
    )


def _authorized(target: Target) -> Target:
    """A target whose key a scheme exchanges, as far as the key decides where it goes.

    Raises:
        VaultClosed: the key is not of the kind that the scheme takes.
    """
    name, key = target.provider.name, target.api_key
    if not key:
        raise VaultClosed(f"The project's key of provider '{name}' is empty: seal it again")
    if target.provider.auth != _GOOGLE:
        return target
    try:
        account = parse_service_account(key)
    except ValueError as fault:
        raise VaultClosed(f"The project's key of provider '{name}' {fault}") from None
    if account.project_id is None:
        raise VaultClosed(f"The project's key of provider '{name}' names no project_id")
    return replace(target, parameters={**target.parameters, "project": account.project_id})


def _is_wanted(key: ProviderKey, target: Target) -> bool:
    """An empty text is no key, which only a provider that needs none can do with."""
    return bool(key.encrypted_key) or target.provider.needs_key
