"""Aliases: names that callers ask for, and the models that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bursar.domain.aliases import Alias, AliasTarget, Strategy, TierDown
from bursar.domain.errors import Conflict, InvalidRequest, NotFound, Unprocessable
from bursar.domain.models import parse_model, requested_model

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bursar.ports import Clock, Directory


@dataclass(frozen=True, slots=True)
class AliasRequest:
    """What an administrator says about a new alias; the fields are those of `Alias`."""

    name: str
    targets: tuple[AliasTarget, ...]
    strategy: Strategy = Strategy.ORDERED
    tier_down: TierDown | None = None
    retries: int = 1
    metadata: Mapping[str, Any] = field(default_factory=dict)


class AliasAdministration:
    """The life of aliases. `word/rest` is read as `word:rest`, in names as in models.

    Args:
        directory: where they are kept.
        clock: tells the time.
        providers: the names that make a model of whatever begins with them.
        has_others: the deployment may reach providers that are not among these.
    """

    def __init__(
        self, directory: Directory, clock: Clock, providers: Collection[str], *, has_others: bool
    ) -> None:
        self._aliases = directory.aliases
        self._clock = clock
        self._providers = providers
        self._has_others = has_others

    async def create(self, wanted: AliasRequest) -> Alias:
        """Add an alias.

        Raises:
            Unprocessable: the name is a model's, or a target is none.
            Conflict: there is such an alias.
        """
        now = self._clock()
        alias = self._checked(
            Alias(
                self._name(wanted.name),
                wanted.targets,
                created_at=now,
                updated_at=now,
                strategy=wanted.strategy,
                tier_down=wanted.tier_down,
                retries=wanted.retries,
                metadata=wanted.metadata,
            )
        )
        if not await self._aliases.add(alias):
            raise Conflict(
                f"Alias '{alias.name}' exists: change it with PATCH /v1/aliases/{alias.name}"
            )
        return alias

    async def page(self, *, skip: int, limit: int) -> Sequence[Alias]:
        return await self._aliases.page(skip=skip, limit=limit)

    async def get(self, name: str) -> Alias:
        """Raises NotFound."""
        alias = await self._aliases.get(_known_as(name))
        if alias is None:
            raise _no_such_alias(name)
        return alias

    async def change(self, name: str, changes: Mapping[str, Any]) -> Alias:
        """Set the named fields; None clears one.

        Raises:
            NotFound: there is no such alias.
            Unprocessable: a target is no model.
        """
        current = await self.get(name)
        given = {name: value for name, value in changes.items() if value is not None}
        wanted = self._checked(replace(current, **given))
        changed = {name: getattr(wanted, name) for name in given}
        cleared = dict.fromkeys(changes.keys() - given.keys())
        everything = {**changed, **cleared, "updated_at": self._clock()}
        alias = await self._aliases.change(current.name, everything)
        if alias is None:
            raise _no_such_alias(name)
        return alias

    async def remove(self, name: str) -> None:
        """Raises NotFound."""
        if not await self._aliases.remove(_known_as(name)):
            raise _no_such_alias(name)

    def _name(self, text: str) -> str:
        name = requested_model(text)
        if name.provider in self._providers:
            raise Unprocessable(
                f"'{name}' is a model of provider '{name.provider}', so it cannot be an alias: "
                "take a name without a provider's, as in 'fast' or 'team/fast'",
                param="name",
            )
        return str(name)

    def _checked(self, alias: Alias) -> Alias:
        """The alias with its models' names as they are known."""
        targets = tuple(
            replace(target, model=self._model(alias, target.model, f"targets.{index}.model"))
            for index, target in enumerate(alias.targets)
        )
        models = [target.model for target in targets]
        for index, model in enumerate(models):
            if model in models[:index]:
                raise Unprocessable(
                    f"'{model}' is listed twice: give it one weight", param=f"targets.{index}.model"
                )
        down = alias.tier_down
        if down is not None:
            model = self._model(alias, down.model, "tier_down.model")
            if models == [model]:
                raise Unprocessable(
                    f"'{model}' is the only target already: name a cheaper one to tier down to",
                    param="tier_down.model",
                )
            down = replace(down, model=model)
        return replace(alias, targets=targets, tier_down=down)

    def _model(self, alias: Alias, text: str, param: str) -> str:
        try:
            model = parse_model(text)
        except InvalidRequest as refusal:
            raise Unprocessable(
                f"{refusal.message}: an alias stands for models, not for other aliases", param=param
            ) from None
        if str(model) == alias.name:
            raise Unprocessable(f"'{model}' is the alias itself", param=param)
        if model.provider not in self._providers and not self._has_others:
            raise Unprocessable(
                f"Provider '{model.provider}' of '{text}' is not known here: "
                "it is the part before the first ':' or '/', as in 'openai:gpt-4o-mini'",
                param=param,
            )
        return str(model)


def _known_as(name: str) -> str:
    try:
        return str(requested_model(name))
    except InvalidRequest:
        raise _no_such_alias(name) from None


def _no_such_alias(name: str) -> NotFound:
    return NotFound(f"Alias '{name}' not found")
