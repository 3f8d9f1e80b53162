from typing import Annotated

from fastapi import APIRouter, Query, Response

from bursar.domain.usage import Status, UsageFilter
from functions.admin.exact_json import ExactRoute, answer
from functions.admin.routes.paging import Cursor, Limit
from functions.admin.schemas.fields import Instant
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

_Model = Annotated[
    str | None, Query(description="The provider's name for a model, or `provider:model`.")
]
_Outcome = Annotated[
    Status | None, Query(description="How requests ended; matches `outcome` exactly.")
]


@router.get("", response_model=UsagePageAnswer)
async def list_usage(
    *,
    services: Services,
    start: Annotated[Instant | None, Query(description="Not before.")] = None,
    end: Annotated[Instant | None, Query(description="Before.")] = None,
    user_id: str | None = None,
    key_id: str | None = None,
    model: _Model = None,
    provider: str | None = None,
    status: _Outcome = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List everybody's requests, newest first, a page at a time."""
    wanted = UsageFilter(
        user_id=user_id,
        key_id=key_id,
        model=model,
        provider=provider,
        status=status,
        start=start,
        end=end,
    )
    page = await services.usage.page(wanted, limit=limit, cursor=cursor)
    return answer(UsagePageAnswer.of(page))
