"""Which models a request may be served by, in the order in which they are tried."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from bursar.domain.errors import Forbidden, InvalidRequest
from bursar.domain.models import ModelName, is_allowed, parse_model

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bursar.domain.aliases import Alias
    from bursar.services.identity import Caller
    from bursar.services.lookup import Lookup
    from bursar.services.targets import Targets


@dataclass(frozen=True, slots=True)
class Route:
    """What a caller's model stands for.

    Attributes:
        models: at least one, the first one first.
        retries: how often the same one is asked again.
        alias: what the caller asked for, if that is an alias.
        choice: why the first one is the first.
        cheaper: the one that goes first where a budget runs low, one of `models`.
        low_share: what share of a limit has to be left for the others to go first.
    """

    models: tuple[ModelName, ...]
    retries: int
    alias: str | None = None
    choice: str = "direct"
    cheaper: ModelName | None = None
    low_share: Decimal | None = None


class Routes:
    """Resolves what callers ask for.

    A provider's name before the delimiter makes it a model, whatever aliases there are.

    Args:
        lookup: knows the aliases.
        targets: the providers that this deployment can reach.
        known: the names of all others that anybody might mean.
        retries: of a model that is asked for by its own name.
        draw: gives numbers from 0 up to but without 1, evenly spread.
    """

    def __init__(
        self,
        lookup: Lookup,
        targets: Targets,
        known: Collection[str],
        retries: int,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._lookup = lookup
        self._targets = targets
        self._known = known
        self._retries = retries
        self._draw = draw

    async def find(self, asked: ModelName, caller: Caller) -> Route:
        """The models that a caller may be served by.

        Raises:
            Forbidden: none of them, by the allow-list of the caller's key or user.
            InvalidRequest: it names neither a provider nor an alias.
            StoreUnavailable: the aliases cannot be read.
        """
        alias = None if await self._is_model(asked) else await self._lookup.alias(str(asked))
        if alias is not None:
            return self._by_alias(alias, asked, caller)
        if not asked.provider:
            raise InvalidRequest(
                f"Model '{asked}' must name its provider, as in 'openai:gpt-4o-mini', "
                "or be an alias of this gateway",
                param="model",
            )
        _check_any(asked, (asked,), caller)
        return Route((asked,), self._retries)

    async def _is_model(self, asked: ModelName) -> bool:
        provider = asked.provider
        return bool(provider) and (
            provider in self._known or provider in await self._targets.configured()
        )

    def _by_alias(self, alias: Alias, asked: ModelName, caller: Caller) -> Route:
        named = (parse_model(model) for model in alias.models(self._draw))
        models = _check_any(asked, tuple(named), caller)
        down = alias.tier_down
        cheaper = None if down is None else parse_model(down.model)
        is_open = cheaper in models and len(models) > 1
        return Route(
            models,
            alias.retries,
            alias.name,
            "primary" if alias.strategy == "ordered" else "weighted",
            cheaper if is_open else None,
            down.below_share if down is not None and is_open else None,
        )


def may_use(model: ModelName, caller: Caller, alias: ModelName | None = None) -> bool:
    """Whether both allow-lists, the key's and the user's, let a model be used."""
    key = caller.key
    return is_allowed(model, key.allowed_models if key else None, alias) and is_allowed(
        model, caller.user.allowed_models, alias
    )


def _check_any(
    asked: ModelName, models: tuple[ModelName, ...], caller: Caller
) -> tuple[ModelName, ...]:
    """Those that the caller may use."""
    allowed = tuple(model for model in models if may_use(model, caller, asked))
    if allowed:
        return allowed
    key = caller.key
    of_key = key is not None and not any(is_allowed(m, key.allowed_models, asked) for m in models)
    holder = "This API key" if of_key else f"User '{caller.user.user_id}'"
    raise Forbidden(f"{holder} may not use model '{asked}'")
