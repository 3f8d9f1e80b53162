from collections.abc import Sequence
from typing import Any, Self

from pydantic import BaseModel, Field

from bursar.domain.projects import SpendPeriod
from bursar.domain.usage import ResetRecord
from bursar.services.platform.project_budgets import ProjectBudgetStanding
from functions.admin.platform.schemas.fields import Amount, Timestamp
from functions.admin.schemas.examples import examples
from functions.admin.schemas.fields import LimitUsd

_LIMIT = "US dollars that may be spent in a period."
_PERIOD = "A UTC day, a week from Sunday, or a month."


class ProjectBudgetCreate(BaseModel):
    """A new budget."""

    model_config = examples({"budget_limit": 100.0, "spend_period": "monthly"})

    budget_limit: LimitUsd = Field(description=_LIMIT)
    spend_period: SpendPeriod = Field(description=_PERIOD)


class ProjectBudgetPatch(BaseModel):
    """Another limit."""

    model_config = examples({"budget_limit": 250})

    budget_limit: LimitUsd = Field(description=_LIMIT)


_EXAMPLE = {
    "id": "5a7e8a0c-5c2e-4d39-8a58-0a1d2f6a3d11",
    "project_id": "550e8400-e29b-41d4-a716-446655440000",
    "budget_limit": "100.0000",
    "current_spend": "50.0000",
    "spend_period": "monthly",
    "period_start": "2026-01-01T00:00:00.000000Z",
    "period_end": "2026-02-01T00:00:00.000000Z",
    "created_at": "2026-01-01T08:30:00.000000Z",
    "updated_at": "2026-01-01T08:30:00.000000Z",
}


class ListedBudget(BaseModel):
    """A budget in a list. any-llm's command makes a column of every field, so these are few."""

    model_config = examples(_EXAMPLE)

    id: str
    project_id: str
    budget_limit: Amount = Field(description=_LIMIT)
    current_spend: Amount = Field(description="US dollars spent in the current period.")
    spend_period: SpendPeriod = Field(description=_PERIOD)
    period_start: Timestamp
    period_end: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, standing: ProjectBudgetStanding) -> Self:
        return cls(**_fields(standing))


class ProjectBudgetAnswer(ListedBudget):
    """A budget, and how it stands in its current period."""

    model_config = examples({**_EXAMPLE, "client_id": None, "held": "0.0000"})

    client_id: str | None = Field(description="Whose it is; null for the whole project's.")
    held: Amount = Field(description="US dollars set aside for requests and leases in flight.")

    @classmethod
    def of(cls, standing: ProjectBudgetStanding) -> Self:
        return cls(
            **_fields(standing),
            client_id=standing.budget.client_id,
            held=standing.balance.held_usd,
        )


class ProjectBudgetList(BaseModel):
    """A project's budgets: daily, weekly, monthly."""

    data: list[ListedBudget]
    count: int

    @classmethod
    def of(cls, standings: Sequence[ProjectBudgetStanding]) -> Self:
        data = [ListedBudget.of(standing) for standing in standings]
        return cls(data=data, count=len(data))


class ProjectReset(BaseModel):
    """A period of a budget that has ended."""

    period_start: Timestamp
    period_end: Timestamp
    next_period_end: Timestamp | None
    spend: Amount = Field(description="US dollars spent in it.")

    @classmethod
    def of(cls, reset: ResetRecord) -> Self:
        return cls(
            period_start=reset.period_start,
            period_end=reset.reset_at,
            next_period_end=reset.next_reset_at,
            spend=reset.previous_spend_usd,
        )


class ProjectResetPage(BaseModel):
    """Periods that have ended, newest first."""

    data: list[ProjectReset]
    next_cursor: str | None = Field(description="Pass as `cursor` for the next page.")

    @classmethod
    def of(cls, resets: Sequence[ResetRecord], next_cursor: str | None) -> Self:
        return cls(data=[ProjectReset.of(reset) for reset in resets], next_cursor=next_cursor)


def _fields(standing: ProjectBudgetStanding) -> dict[str, Any]:
    budget = standing.budget
    return {
        "id": budget.budget_id,
        "project_id": budget.project_id,
        "budget_limit": budget.limit_usd,
        "current_spend": standing.balance.spent_usd,
        "spend_period": budget.spend_period,
        "period_start": standing.period.start,
        "period_end": standing.period.end,
        "created_at": budget.created_at,
        "updated_at": budget.updated_at,
    }
