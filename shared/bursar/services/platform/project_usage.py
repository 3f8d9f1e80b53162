"""A project's usage: its records, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from bursar.domain.money import ZERO, canonical
from bursar.services.platform.project_books import ProjectBooks

if TYPE_CHECKING:
    from bursar.domain.projects import Project
    from bursar.domain.usage import UsageFilter, UsagePage, UsageRecord
    from bursar.ports import UsageLog


class Grouping(StrEnum):
    """What a summary's lines are: UTC days, `provider:model`, providers, client ids, key ids."""

    DAY = "day"
    MODEL = "model"
    PROVIDER = "provider"
    CLIENT = "client"
    KEY = "key"

    def group_of(self, record: UsageRecord) -> str | None:
        """The line that a record belongs to; None for records that do not tell."""
        match self:
            case Grouping.DAY:
                return record.created_at.date().isoformat()
            case Grouping.MODEL:
                return f"{record.provider}:{record.model}" if record.model else None
            case Grouping.PROVIDER:
                return record.provider
            case Grouping.CLIENT:
                return record.client_id
            case Grouping.KEY:
                return record.key_id


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """What some records add up to."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = ZERO

    def with_one(self, record: UsageRecord) -> UsageTotals:
        tokens = record.usage
        return replace(
            self,
            requests=self.requests + 1,
            input_tokens=self.input_tokens + (tokens.input_tokens if tokens else 0),
            output_tokens=self.output_tokens + (tokens.output_tokens if tokens else 0),
            cost_usd=canonical(self.cost_usd + (record.cost_usd or ZERO)),
        )


@dataclass(frozen=True, slots=True)
class UsageSummary:
    """Totals of each group, in the order of their names and the nameless last, and of all."""

    groups: Mapping[str | None, UsageTotals]
    total: UsageTotals


class ProjectUsage:
    """Reads the books of projects."""

    def __init__(self, usage_log: UsageLog) -> None:
        self._usage_log = usage_log

    async def page(
        self, project: Project, wanted: UsageFilter, *, limit: int, cursor: str | None
    ) -> UsagePage:
        """A project's records that a filter accepts, newest first.

        Raises:
            InvalidRequest: the cursor is not one that a page gave.
        """
        books = ProjectBooks(self._usage_log, project.project_id)
        return await books.page(wanted, limit=limit, cursor=cursor)

    async def summary(
        self, project: Project, wanted: UsageFilter, grouping: Grouping
    ) -> UsageSummary:
        """Add up all records that a filter accepts, each of which is read."""
        groups: dict[str | None, UsageTotals] = {}
        total = UsageTotals()
        books = ProjectBooks(self._usage_log, project.project_id)
        async for record in books.every(wanted):
            group = grouping.group_of(record)
            groups[group] = groups.get(group, UsageTotals()).with_one(record)
            total = total.with_one(record)
        names = sorted(groups, key=lambda name: (name is None, name or ""))
        return UsageSummary({name: groups[name] for name in names}, total)
