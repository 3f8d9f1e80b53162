"""Aliases among the models that a caller may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.domain.models import parse_model, requested_model
from bursar.services.listing import everything

if TYPE_CHECKING:
    from collections.abc import Callable

    from bursar.domain.aliases import Alias
    from bursar.domain.models import ModelName
    from bursar.ports import Collection

    MayUse = Callable[[ModelName, ModelName | None], bool]


async def shown_aliases(aliases: Collection[Alias], may_use: MayUse) -> list[dict[str, Any]]:
    """Those with a model that the caller may use, in OpenAI's shape.

    Args:
        may_use: whether the caller may use a model, asked for by an alias.
    """
    return [shown_alias(alias) async for alias in everything(aliases) if is_for(alias, may_use)]


def is_for(alias: Alias, may_use: MayUse) -> bool:
    name = requested_model(alias.name)
    models = {target.model for target in alias.targets}
    if alias.tier_down is not None:
        models.add(alias.tier_down.model)
    return any(may_use(parse_model(model), name) for model in models)


def shown_alias(alias: Alias) -> dict[str, Any]:
    return {
        "id": alias.name,
        "object": "model",
        "created": int(alias.created_at.timestamp()),
        "owned_by": "bursar",
    }
