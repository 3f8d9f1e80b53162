from dataclasses import replace

from fastapi import APIRouter, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.routes.paging import Cursor, Limit
from functions.admin.routes.usage_query import Narrowed
from functions.admin.schemas.problems import BAD_REQUEST, INVALID, UNAUTHORIZED
from functions.admin.schemas.usage import UsagePageAnswer
from functions.admin.services import Master, Services

router = APIRouter(
    prefix="/v1/usage",
    tags=["usage"],
    route_class=ExactRoute,
    dependencies=Master,
    responses={**UNAUTHORIZED, **INVALID, **BAD_REQUEST},
)


@router.get("", response_model=UsagePageAnswer)
async def list_usage(
    *,
    services: Services,
    narrowed: Narrowed,
    user_id: str | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List everybody's requests, newest first, a page at a time."""
    wanted = replace(narrowed, user_id=user_id)
    page = await services.usage.page(wanted, limit=limit, cursor=cursor)
    return answer(UsagePageAnswer.of(page))
