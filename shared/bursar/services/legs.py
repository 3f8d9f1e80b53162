"""A request's next target, with all that going there takes."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from bursar.dialects.passage import Passage
from bursar.dialects.request import InferenceRequest
from bursar.domain.budgets import Limit
from bursar.domain.errors import BudgetExceeded, BursarError, ModelNotFound, NotConfigured, Refused
from bursar.domain.models import ModelName
from bursar.domain.upstream import Target
from bursar.services.credentials import Credential
from bursar.services.identity import Caller
from bursar.services.quoting import Quote, quote_request
from bursar.services.routes import Route
from bursar.services.targets import Targets, passage_of
from bursar.services.trail import Trail

if TYPE_CHECKING:
    from bursar.ports import Clock
    from bursar.services.breaker import Breaker
    from bursar.services.lookup import Lookup
    from bursar.services.policy import Policy
    from bursar.services.vault_targets import VaultTargets


@dataclass(frozen=True, slots=True)
class Leg:
    """The way to one target.

    Attributes:
        request: the caller's, named after the target's model.
    """

    request: InferenceRequest
    target: Target
    passage: Passage
    quote: Quote

    @property
    def model(self) -> ModelName:
        return self.request.model


@dataclass(slots=True)
class Journey:
    """One request on its way through its targets.

    Attributes:
        request: as its caller wrote it, which may name an alias.
        headers: the caller's, names in lower case.
        ahead: the models that were not considered yet.
        avoided: those whose targets have been failing, for when nothing else is left.
        refusals: why some of them were passed by.
        leg: where it is.
        tab: what is held for it, once something is.
    """

    request_id: str
    credential: Credential
    caller: Caller
    request: InferenceRequest
    headers: Mapping[str, str]
    limits: Sequence[Limit]
    route: Route
    trail: Trail
    ahead: deque[ModelName] = field(init=False)
    avoided: deque[ModelName] = field(default_factory=deque, init=False)
    refusals: list[BursarError] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.ahead = deque(self.route.models)

    @property
    def scope(self) -> str | None:
        """Whose keys the targets are called with: a project's, or the deployment's."""
        return None if self.caller.project is None else self.caller.project.project_id

    @property
    def has_choice(self) -> bool:
        return len(self.route.models) > 1

    def pass_by(self, model: ModelName, refusal: BursarError) -> None:
        self.refusals.append(refusal)
        self.trail.miss(str(model), refusal.code)

    def tier_down(self, instead_of: ModelName) -> None:
        """Put the cheaper model first, and keep the others for when it fails."""
        cheaper = self.route.cheaper
        if cheaper is not None:
            self.trail.cheaper = str(cheaper)
            others = (model for model in (instead_of, *self.ahead) if model != cheaper)
            self.ahead = deque((cheaper, *others))
            self.avoided = deque(model for model in self.avoided if model != cheaper)

    def refusal(self) -> BursarError:
        """Why there is no target at all: for want of money, if that is why one is not."""
        for_money = (each for each in self.refusals if isinstance(each, BudgetExceeded))
        return next(for_money, self.refusals[0])


class Legs:
    """Prepares the legs of requests, each when it is its turn."""

    def __init__(
        self,
        targets: Targets,
        vaults: VaultTargets,
        lookup: Lookup,
        *,
        breaker: Breaker,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self._targets = targets
        self._vaults = vaults
        self._lookup = lookup
        self._breaker = breaker
        self._policy = policy
        self._clock = clock

    async def next(self, journey: Journey) -> Leg | None:
        """The next target that can serve a request, None if there is no other.

        Raises:
            StoreUnavailable: what is known of targets cannot be read.
        """
        while (model := self._turn(journey)) is not None:
            try:
                return await self._leg(journey, model)
            except (Refused, NotConfigured) as refusal:
                journey.pass_by(model, refusal)
        return None

    def _turn(self, journey: Journey) -> ModelName | None:
        while journey.ahead:
            model = journey.ahead.popleft()
            if not journey.has_choice or self._breaker.admits((journey.scope, model)):
                return model
            journey.avoided.append(model)
            journey.trail.miss(str(model), "circuit_open")
        return journey.avoided.popleft() if journey.avoided else None

    async def _leg(self, journey: Journey, model: ModelName) -> Leg:
        request = _named(journey.request, model)
        target = await self._target(journey, model)
        created_s = int(self._clock().timestamp())
        passage = passage_of(journey.request, target, model.model, created_s)
        price = await self._lookup.price(str(model))
        is_limited = any(limit.limit_usd is not None for limit in journey.limits)
        quote = quote_request(request, price, self._policy, is_limited=is_limited)
        return Leg(request, target, passage, quote)

    async def _target(self, journey: Journey, model: ModelName) -> Target:
        """The deployment's provider, or with a project's key the project's own."""
        project = journey.caller.project
        if project is None:
            return await self._targets.find(model)
        project_id = project.project_id
        if journey.has_choice and model.provider not in await self._vaults.providers(project_id):
            # Looking again whether the key is there now is for those who have no other choice.
            raise ModelNotFound(f"The project has no key of provider '{model.provider}' in use")
        return await self._vaults.find(journey.credential, project_id, model)


def _named(request: InferenceRequest, model: ModelName) -> InferenceRequest:
    """A request for a model; requests of every dialect are dataclasses with that field."""
    if request.model == model:
        return request
    return cast("InferenceRequest", dataclasses.replace(cast("Any", request), model=model))
