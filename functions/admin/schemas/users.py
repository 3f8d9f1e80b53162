from typing import Any, ClassVar, Self

from pydantic import BaseModel, Field, StrictBool

from bursar.domain.money import ZERO
from bursar.services.admin_users import UserRequest, UserStanding
from functions.admin.schemas.examples import examples
from functions.admin.schemas.fields import (
    BudgetId,
    Instant,
    Metadata,
    ModelPatterns,
    Name,
    PerMinute,
    Usd,
    UserId,
)
from functions.admin.schemas.moved import BUDGET_STARTED_AT, SPEND, SpentUsd
from functions.admin.schemas.patch import Patch

_ALLOWED_MODELS = (
    "Patterns of the models the user's keys may use, as in `openai:gpt-4o*`; "
    "null allows every model, an empty list none. "
    "An alias that is named exactly brings its models along."
)


class UserCreate(BaseModel):
    """A new user, or a deleted one to be revived."""

    model_config = examples({"user_id": "alice", "alias": "Alice"})

    user_id: UserId = Field(description="Your own name for the user.")
    alias: Name | None = None
    budget_id: BudgetId | None = Field(None, description="The budget that limits the user.")
    blocked: StrictBool = Field(default=False, description="A blocked user's keys are refused.")
    metadata: Metadata = Field(default_factory=dict, description="Kept and given back.")
    allowed_models: ModelPatterns | None = Field(None, description=_ALLOWED_MODELS)
    rate_limit_rpm: PerMinute | None = Field(None, description="Requests a minute.")
    rate_limit_tpm: PerMinute | None = Field(None, description="Tokens a minute.")
    budget_started_at: Instant | None = Field(None, description=BUDGET_STARTED_AT)
    spend: SpentUsd = Field(ZERO, description=SPEND)

    def request(self) -> UserRequest:
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return UserRequest(spend_usd=given.pop("spend"), **given)


class UserPatch(Patch):
    """Changes to a user: an absent field is left alone, `null` clears one."""

    model_config = examples({"blocked": True})
    not_clearable: ClassVar[frozenset[str]] = frozenset({"blocked"})

    alias: Name | None = None
    budget_id: BudgetId | None = Field(
        None,
        description="Naming a budget, even the same, restarts the user's period and keeps what "
        "was spent; `null` leaves the user without a limit.",
    )
    blocked: StrictBool | None = Field(None, description="`null` leaves it as it is.")
    metadata: Metadata | None = None
    allowed_models: ModelPatterns | None = Field(None, description=_ALLOWED_MODELS)
    rate_limit_rpm: PerMinute | None = None
    rate_limit_tpm: PerMinute | None = None


class UserAnswer(BaseModel):
    """A user and how their own account stands."""

    model_config = examples(
        {
            "user_id": "alice",
            "alias": "Alice",
            "spend": 1.0305,
            "held": 0,
            "budget_id": "5a7e8a0c-5c2e-4d39-8a58-0a1d2f6a3d11",
            "budget_started_at": "2026-01-01T00:00:00Z",
            "next_budget_reset_at": "2026-02-01T00:00:00Z",
            "blocked": False,
            "created_at": "2025-12-01T08:30:00Z",
            "updated_at": "2025-12-01T08:30:00Z",
            "metadata": {},
            "allowed_models": None,
            "rate_limit_rpm": None,
            "rate_limit_tpm": None,
        }
    )

    user_id: str
    alias: str | None
    spend: Usd = Field(
        description="US dollars spent in the current period of the user's own budget; "
        "without one, since creation or the last change of budget."
    )
    held: Usd = Field(description="US dollars reserved for requests in flight, beside `spend`.")
    budget_id: str | None
    budget_started_at: Instant | None = Field(description="When the current period began.")
    next_budget_reset_at: Instant | None = Field(description="When it ends.")
    blocked: bool
    created_at: Instant
    updated_at: Instant
    metadata: dict[str, Any]
    allowed_models: tuple[str, ...] | None
    rate_limit_rpm: int | None
    rate_limit_tpm: int | None

    @classmethod
    def of(cls, standing: UserStanding) -> Self:
        user = standing.user
        return cls(
            user_id=user.user_id,
            alias=user.alias,
            spend=standing.spend_usd,
            held=standing.held_usd,
            budget_id=user.budget_id,
            budget_started_at=standing.period_start,
            next_budget_reset_at=standing.next_reset_at,
            blocked=user.blocked,
            created_at=user.created_at,
            updated_at=user.updated_at,
            metadata=dict(user.metadata),
            allowed_models=user.allowed_models,
            rate_limit_rpm=user.rate_limit_rpm,
            rate_limit_tpm=user.rate_limit_tpm,
        )
