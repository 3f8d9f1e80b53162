"""The models a caller may ask for: those with a price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bursar.domain.errors import Forbidden, ModelNotFound
from bursar.domain.models import ModelName, check_allowed, parse_model
from bursar.ports import Directory
from bursar.services.credentials import presented_credential
from bursar.services.identity import Identity
from bursar.services.lookup import Lookup
from bursar.services.vault_targets import VaultTargets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bursar.domain.keys import VirtualKey
    from bursar.domain.pricing import Price

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class ModelList:
    """Lists models in OpenAI's shape."""

    identity: Identity
    lookup: Lookup
    directory: Directory
    vaults: VaultTargets

    async def all(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """Every priced model the key may use; a project's key, of the providers it can reach.

        Raises:
            Unauthenticated: no valid credential.
        """
        may_use = await self._permission(headers)
        models: list[Price] = []
        while page := await self.directory.prices.page(skip=len(models), limit=_PAGE):
            models.extend(page)
        shown = [_shown(price) for price in models if may_use(parse_model(price.model_key))]
        return {"object": "list", "data": sorted(shown, key=lambda model: str(model["id"]))}

    async def one(self, headers: Mapping[str, str], model_id: str) -> dict[str, Any]:
        """One model.

        Raises:
            Unauthenticated: no valid credential.
            ModelNotFound: without a price, or not for this key.
        """
        may_use = await self._permission(headers)
        name = parse_model(model_id)
        price = await self.lookup.price(str(name))
        if price is None or not may_use(name):
            raise ModelNotFound(f"Model '{model_id}' not found")
        return _shown(price)

    async def _permission(self, headers: Mapping[str, str]) -> Callable[[ModelName], bool]:
        """Whether the caller may use a model."""
        credential = await self.identity.authenticate(presented_credential(headers))
        key, project = credential.key, credential.project
        if project is None:
            return lambda name: _may_use(key, name)
        providers = await self.vaults.providers(project.project_id)
        return lambda name: name.provider in providers and _may_use(key, name)


def _may_use(key: VirtualKey | None, name: ModelName) -> bool:
    try:
        check_allowed(name, key.allowed_models if key else None, "This API key")
    except Forbidden:
        return False
    return True


def _shown(price: Price) -> dict[str, Any]:
    return {
        "id": price.model_key,
        "object": "model",
        "created": int(price.created_at.timestamp()),
        "owned_by": parse_model(price.model_key).provider,
    }
