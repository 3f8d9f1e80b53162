"""The models a caller may ask for: those with a price, and aliases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bursar.domain.errors import ModelNotFound
from bursar.domain.models import ModelName, is_allowed, parse_model, requested_model
from bursar.ports import Directory, PriceCatalogue
from bursar.services.alias_list import is_for, shown_alias, shown_aliases
from bursar.services.credentials import presented_credential
from bursar.services.identity import Identity
from bursar.services.lookup import Lookup
from bursar.services.targets import Targets
from bursar.services.vault_targets import VaultTargets

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bursar.domain.pricing import Price
    from bursar.services.alias_list import MayUse

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class ModelList:
    """Lists models in OpenAI's shape."""

    identity: Identity
    lookup: Lookup
    directory: Directory
    vaults: VaultTargets
    targets: Targets
    catalogue: PriceCatalogue | None = None

    async def all(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """Every priced model and alias the key may use; a project's, of providers it can reach.

        The catalogue's are those of the providers that are configured.

        Raises:
            Unauthenticated: no valid credential.
        """
        providers, may_use = await self._permission(headers)
        prices: list[Price] = []
        while page := await self.directory.prices.page(skip=len(prices), limit=_PAGE):
            prices.extend(page)
        models = self._catalogued(providers)
        models |= {parse_model(price.model_key): price.created_at for price in prices}
        shown = [_shown(name, since) for name, since in models.items() if may_use(name, None)]
        shown += await shown_aliases(self.directory.aliases, may_use)
        return {"object": "list", "data": sorted(shown, key=lambda model: str(model["id"]))}

    async def one(self, headers: Mapping[str, str], model_id: str) -> dict[str, Any]:
        """One model, or one alias.

        Raises:
            Unauthenticated: no valid credential.
            ModelNotFound: without a price, or not for this key.
        """
        providers, may_use = await self._permission(headers)
        name = requested_model(model_id)
        alias = await self.lookup.alias(str(name))
        if alias is not None and is_for(alias, may_use):
            return shown_alias(alias)
        price = await self.lookup.price(str(name))
        is_there = price is not None and may_use(name, None)
        if price is None or not is_there or not _is_reached(price, name, providers):
            raise ModelNotFound(f"Model '{model_id}' not found")
        return _shown(name, price.created_at)

    def _catalogued(self, providers: Collection[str]) -> dict[ModelName, datetime]:
        """The catalogue's models of some providers, and since when it has them."""
        catalogue = self.catalogue
        if catalogue is None:
            return {}
        since = datetime.fromisoformat(catalogue.date).replace(tzinfo=UTC)
        return {
            ModelName(provider, model): since
            for provider in providers
            for model in catalogue.models(provider)
        }

    async def _permission(self, headers: Mapping[str, str]) -> tuple[Collection[str], MayUse]:
        """The caller's providers, and whether it may use a model, by its name or by an alias."""
        credential = await self.identity.authenticate(presented_credential(headers))
        key, project = credential.key, credential.project
        patterns = key.allowed_models if key else None
        if project is None:
            configured = await self.targets.configured()
            return configured, lambda name, alias: is_allowed(name, patterns, alias)
        providers = await self.vaults.providers(project.project_id)
        return providers, (
            lambda name, alias: name.provider in providers and is_allowed(name, patterns, alias)
        )


def _is_reached(price: Price, name: ModelName, providers: Collection[str]) -> bool:
    """The catalogue prices more than can be called; what an administrator priced is wanted."""
    return price.catalogue_date is None or name.provider in providers


def _shown(name: ModelName, since: datetime) -> dict[str, Any]:
    return {
        "id": str(name),
        "object": "model",
        "created": int(since.timestamp()),
        "owned_by": name.provider,
    }
