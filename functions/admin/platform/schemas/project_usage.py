from typing import Self

from pydantic import BaseModel, Field

from bursar.domain.usage import UsageFilter
from bursar.services.platform.project_usage import Grouping, UsageSummary, UsageTotals
from functions.admin.platform.schemas.fields import Timestamp
from functions.admin.schemas.fields import Usd


class UsageTotalsAnswer(BaseModel):
    """What some requests add up to."""

    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost: Usd = Field(description="US dollars.")

    @classmethod
    def of(cls, totals: UsageTotals) -> Self:
        return cls(
            requests=totals.requests,
            prompt_tokens=totals.input_tokens,
            completion_tokens=totals.output_tokens,
            cost=totals.cost_usd,
        )


class UsageGroupAnswer(UsageTotalsAnswer):
    """One line of a summary."""

    group: str | None = Field(description="null: requests that do not tell.")

    @classmethod
    def named(cls, group: str | None, totals: UsageTotals) -> Self:
        return cls(group=group, **UsageTotalsAnswer.of(totals).model_dump())


class UsageSummaryAnswer(BaseModel):
    """A project's usage, added up."""

    group_by: Grouping
    start: Timestamp | None
    end: Timestamp | None
    data: list[UsageGroupAnswer] = Field(description="In the order of their names.")
    total: UsageTotalsAnswer

    @classmethod
    def of(cls, grouping: Grouping, wanted: UsageFilter, summary: UsageSummary) -> Self:
        groups = [UsageGroupAnswer.named(name, each) for name, each in summary.groups.items()]
        return cls(
            group_by=grouping,
            start=wanted.start,
            end=wanted.end,
            data=groups,
            total=UsageTotalsAnswer.of(summary.total),
        )
