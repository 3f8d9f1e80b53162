from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, Field, WithJsonSchema

from bursar.domain.aliases import RETRIES_MAX, Alias, AliasTarget, Strategy, TierDown
from bursar.services.admin_aliases import AliasRequest
from functions.admin.schemas.examples import examples
from functions.admin.schemas.fields import Instant, Integer, Metadata, Share
from functions.admin.schemas.patch import Patch

_Model = Annotated[str, Field(min_length=3, max_length=300)]
_AliasName = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$")
]
_Weight = Annotated[Integer, Field(ge=1, le=1_000_000)]
_Retries = Annotated[Integer, Field(ge=0, le=RETRIES_MAX)]

_NAME = (
    "What callers put into `model`: a word, or `word:rest` where the word is no provider's name. "
    "`word/rest` is the same."
)
_TARGETS = (
    "The models that it stands for, the first choice first. One that cannot serve a request, "
    "fails without billing it, or exceeds a budget, is followed by the next."
)
_STRATEGY = (
    "`ordered` begins with the first target, `weighted` with one drawn by weight; the rest follow."
)
_TIER_DOWN = (
    "A cheaper model, tried first when a budget of the caller's runs low and last otherwise; "
    "null for none."
)
_RETRIES = "How often the same target is asked again before the next one is."


class AliasTargetFields(BaseModel):
    """A model behind an alias."""

    model: _Model = Field(description="`provider:model`.")
    weight: _Weight = Field(
        1, description="Its share of requests, by the sum of all weights, if they are weighted."
    )

    def target(self) -> AliasTarget:
        return AliasTarget(self.model, self.weight)


class TierDownFields(BaseModel):
    """When a cheaper model goes first."""

    below_share: Share = Field(
        description="Of a budget's limit: with less than this left, requests begin with the "
        "cheaper model. What is held for running requests counts as spent."
    )
    model: _Model = Field(description="The cheaper model, `provider:model`.")

    def tier_down(self) -> TierDown:
        return TierDown(self.below_share, self.model)


_Targets = Annotated[list[AliasTargetFields], Field(min_length=1, max_length=32)]


class AliasCreate(BaseModel):
    """A new alias."""

    model_config = examples(
        {
            "name": "fast",
            "targets": [
                {"model": "groq:llama-3.3-70b-versatile"},
                {"model": "openai:gpt-4o-mini"},
            ],
        },
        {
            "name": "claude-sonnet-4-5",
            "targets": [
                {"model": "anthropic:claude-sonnet-4-5", "weight": 9},
                {"model": "bedrock:anthropic.claude-sonnet-4-5-20250929-v1:0", "weight": 1},
            ],
            "strategy": "weighted",
            "tier_down": {"below_share": 0.1, "model": "anthropic:claude-haiku-4-5"},
        },
    )

    name: _AliasName = Field(description=_NAME)
    targets: _Targets = Field(description=_TARGETS)
    strategy: Strategy = Field(Strategy.ORDERED, description=_STRATEGY)
    tier_down: TierDownFields | None = Field(None, description=_TIER_DOWN)
    retries: _Retries = Field(1, description=_RETRIES)
    metadata: Metadata = Field(default_factory=dict, description="Kept and given back.")

    def request(self) -> AliasRequest:
        return AliasRequest(
            name=self.name,
            targets=tuple(each.target() for each in self.targets),
            strategy=self.strategy,
            tier_down=None if self.tier_down is None else self.tier_down.tier_down(),
            retries=self.retries,
            metadata=self.metadata,
        )


class AliasPatch(Patch):
    """Changes to an alias: an absent field is left alone, `null` clears one."""

    model_config = examples({"targets": [{"model": "openai:gpt-4o-mini"}], "tier_down": None})
    not_clearable: ClassVar[frozenset[str]] = frozenset({"targets", "strategy", "retries"})

    targets: _Targets | None = Field(None, description=f"All of them anew. {_TARGETS}")
    strategy: Strategy | None = Field(None, description=_STRATEGY)
    tier_down: TierDownFields | None = Field(None, description=_TIER_DOWN)
    retries: _Retries | None = Field(None, description=_RETRIES)
    metadata: Metadata | None = None

    def changes(self) -> dict[str, Any]:
        changes = Patch.changes(self)
        if self.targets is not None:
            changes["targets"] = tuple(each.target() for each in self.targets)
        if self.tier_down is not None:
            changes["tier_down"] = self.tier_down.tier_down()
        return changes


class AliasTargetAnswer(BaseModel):
    """A model behind an alias."""

    model: str
    weight: int


class TierDownAnswer(BaseModel):
    """When a cheaper model goes first."""

    below_share: Annotated[Decimal, WithJsonSchema({"type": "number"})]
    model: str


class AliasAnswer(BaseModel):
    """An alias."""

    model_config = examples(
        {
            "name": "fast",
            "targets": [
                {"model": "groq:llama-3.3-70b-versatile", "weight": 1},
                {"model": "openai:gpt-4o-mini", "weight": 1},
            ],
            "strategy": "ordered",
            "tier_down": None,
            "retries": 1,
            "metadata": {},
            "created_at": "2026-01-31T12:00:00Z",
            "updated_at": "2026-01-31T12:00:00Z",
        }
    )

    name: str
    targets: list[AliasTargetAnswer]
    strategy: Strategy
    tier_down: TierDownAnswer | None
    retries: int
    metadata: dict[str, Any]
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, alias: Alias) -> Self:
        down = alias.tier_down
        return cls(
            name=alias.name,
            targets=[
                AliasTargetAnswer(model=target.model, weight=target.weight)
                for target in alias.targets
            ],
            strategy=alias.strategy,
            tier_down=None
            if down is None
            else TierDownAnswer(below_share=down.below_share, model=down.model),
            retries=alias.retries,
            metadata=dict(alias.metadata),
            created_at=alias.created_at,
            updated_at=alias.updated_at,
        )
