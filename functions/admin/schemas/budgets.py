from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, Field

from bursar.domain.budgets import Scope
from bursar.domain.periods import Calendar
from bursar.domain.usage import ResetRecord
from bursar.services.admin_budgets import BudgetRequest, BudgetStanding
from functions.admin.schemas.examples import examples
from functions.admin.schemas.fields import Instant, Integer, LimitUsd, TimeZone, Usd
from functions.admin.schemas.moved import OWN_ID, RecordId
from functions.admin.schemas.patch import Patch

_CENTURY_S = 100 * 365 * 24 * 60 * 60
_Duration = Annotated[Integer, Field(gt=0, le=_CENTURY_S)]

_MAX_BUDGET = "US dollars that may be spent in a period; null only tracks."
_DURATION = (
    "Length of a rolling period in seconds, counted from each assignment (a pool's from its "
    "creation); null for none."
)
_PERIOD = "A calendar period instead: a day, a week from Monday, or a month."
_TIME_ZONE = "Where calendar periods begin, an IANA name."
_SCOPE = (
    "`each` gives every user or key that has the budget the whole limit for itself; "
    "`pool` is one limit that they all share."
)


class BudgetCreate(BaseModel):
    """A new budget."""

    model_config = examples(
        {"max_budget": 10.0, "budget_duration_sec": 2592000},
        {
            "max_budget": 250,
            "budget_period": "month",
            "time_zone": "Europe/Berlin",
            "scope": "pool",
        },
    )

    max_budget: LimitUsd | None = Field(None, description=_MAX_BUDGET)
    budget_duration_sec: _Duration | None = Field(None, description=_DURATION)
    budget_period: Calendar | None = Field(None, description=_PERIOD)
    time_zone: TimeZone = Field("UTC", description=_TIME_ZONE)
    scope: Scope = Field(Scope.EACH, description=_SCOPE)
    budget_id: RecordId | None = Field(None, description=OWN_ID)

    def request(self) -> BudgetRequest:
        return BudgetRequest(
            max_budget_usd=self.max_budget,
            duration_s=self.budget_duration_sec,
            calendar=self.budget_period,
            time_zone=self.time_zone,
            scope=self.scope,
            budget_id=self.budget_id,
        )


class BudgetPatch(Patch):
    """Changes to a budget: an absent field is left alone, `null` clears one.

    A rolling period replaces a calendar period and the other way round.
    """

    model_config = examples({"max_budget": 20.0})
    renamed: ClassVar[dict[str, str]] = {
        "max_budget": "max_budget_usd",
        "budget_duration_sec": "duration_s",
        "budget_period": "calendar",
    }
    not_clearable: ClassVar[frozenset[str]] = frozenset({"scope"})

    max_budget: LimitUsd | None = Field(None, description=_MAX_BUDGET)
    budget_duration_sec: _Duration | None = Field(None, description=_DURATION)
    budget_period: Calendar | None = Field(None, description=_PERIOD)
    time_zone: TimeZone | None = Field(None, description=f"{_TIME_ZONE} `null`: UTC.")
    scope: Scope | None = Field(
        None, description=f"{_SCOPE} It can only change while nobody has the budget."
    )


class BudgetAnswer(BaseModel):
    """A budget, and how its account stands where its holders share one."""

    model_config = examples(
        {
            "budget_id": "5a7e8a0c-5c2e-4d39-8a58-0a1d2f6a3d11",
            "max_budget": 250,
            "budget_duration_sec": None,
            "budget_period": "month",
            "time_zone": "Europe/Berlin",
            "scope": "pool",
            "spend": 17.25,
            "next_budget_reset_at": "2026-01-31T23:00:00Z",
            "created_at": "2025-12-01T08:30:00Z",
            "updated_at": "2025-12-01T08:30:00Z",
        }
    )

    budget_id: str
    max_budget: Usd | None
    budget_duration_sec: int | None
    budget_period: Calendar | None
    time_zone: str
    scope: Scope
    spend: Usd | None = Field(
        description="US dollars spent from a pool in its current period; null for `each`, "
        "where every user's own `spend` tells."
    )
    next_budget_reset_at: Instant | None = Field(description="When a pool's period ends.")
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, standing: BudgetStanding) -> Self:
        budget = standing.budget
        return cls(
            budget_id=budget.budget_id,
            max_budget=budget.max_budget_usd,
            budget_duration_sec=budget.duration_s,
            budget_period=budget.calendar,
            time_zone=budget.time_zone,
            scope=budget.scope,
            spend=standing.spend_usd,
            next_budget_reset_at=standing.next_reset_at,
            created_at=budget.created_at,
            updated_at=budget.updated_at,
        )


class ResetAnswer(BaseModel):
    """A period that ended."""

    budget_id: str
    user_id: str | None = Field(description="Whose period, if a user's.")
    api_key_id: str | None = Field(description="Whose period, if a key's.")
    period_start: Instant
    reset_at: Instant = Field(description="When it ended.")
    next_reset_at: Instant | None = Field(description="When the next one ends.")
    previous_spend: Usd = Field(description="US dollars spent in it.")

    @classmethod
    def of(cls, reset: ResetRecord) -> Self:
        kind, _, holder_id = reset.subject.partition("/")
        return cls(
            budget_id=reset.budget_id,
            user_id=holder_id if kind == "user" else None,
            api_key_id=holder_id if kind == "key" else None,
            period_start=reset.period_start,
            reset_at=reset.reset_at,
            next_reset_at=reset.next_reset_at,
            previous_spend=reset.previous_spend_usd,
        )


class ResetPageAnswer(BaseModel):
    """Resets, newest first."""

    data: list[ResetAnswer]
    next_cursor: str | None = Field(description="Pass as `cursor` for the next page.")
