"""A project's part of the books."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from bursar.domain.usage import UsageFilter
from bursar.services.platform.project_usage import Grouping
from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.dependencies import Office
from functions.admin.platform.roles import IN_A_PROJECT, Readable
from functions.admin.platform.schemas.project_usage import UsageSummaryAnswer
from functions.admin.routes.paging import Cursor, Limit
from functions.admin.routes.usage_query import End, Narrowed, Start
from functions.admin.schemas.problems import BAD_REQUEST
from functions.admin.schemas.usage import UsagePageAnswer

router = APIRouter(
    prefix="/api/v1/projects/{project_id}/usage",
    tags=["project usage"],
    route_class=ExactRoute,
    responses=IN_A_PROJECT,
)

_DEFAULT_SPAN = timedelta(days=31)
_GroupBy = Annotated[
    Grouping, Query(description="UTC days, `provider:model`, providers, or ids of clients or keys.")
]


@router.get("", response_model=UsagePageAnswer, responses=BAD_REQUEST)
async def list_project_usage(
    *,
    project: Readable,
    office: Office,
    narrowed: Narrowed,
    client_id: str | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List a project's requests, newest first, a page at a time."""
    wanted = replace(narrowed, client_id=client_id)
    page = await office.project_usage.page(project, wanted, limit=limit, cursor=cursor)
    return answer(UsagePageAnswer.of(page))


@router.get("/summary", response_model=UsageSummaryAnswer)
async def summarize_project_usage(
    *,
    project: Readable,
    office: Office,
    start: Start = None,
    end: End = None,
    group_by: _GroupBy = Grouping.DAY,
) -> Response:
    """Add up a project's usage, of the last 31 days unless a start is named.

    Every record in the span is read.
    """
    wanted = UsageFilter(start=start or office.clock() - _DEFAULT_SPAN, end=end)
    summary = await office.project_usage.summary(project, wanted, group_by)
    return answer(UsageSummaryAnswer.of(group_by, wanted, summary))
