from typing import Annotated

from fastapi import APIRouter, Query, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.routes.paging import Cursor, Limit
from functions.admin.routes.usage_query import End, Start
from functions.admin.schemas.audit import AuditPageAnswer
from functions.admin.schemas.problems import BAD_REQUEST, INVALID, UNAUTHORIZED
from functions.admin.services import Master, Services

router = APIRouter(
    prefix="/v1/audit",
    tags=["audit"],
    route_class=ExactRoute,
    dependencies=Master,
    responses={**UNAUTHORIZED, **INVALID, **BAD_REQUEST},
)

_Actor = Annotated[
    str | None,
    Query(
        max_length=500,
        description="A kind (`master_key`, `aws`, `person`, `project`, `nobody`), an id, or a name "
        "as entries have it.",
    ),
]


@router.get("", response_model=AuditPageAnswer)
async def list_audit_entries(
    *,
    services: Services,
    start: Start = None,
    end: End = None,
    actor: _Actor = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List who changed what, and what was not allowed, newest first, a page at a time.

    Entries have neither bodies nor credentials, and are kept for 400 days.
    """
    page = await services.audit.page(start=start, end=end, actor=actor, limit=limit, cursor=cursor)
    return answer(AuditPageAnswer.of(page))
