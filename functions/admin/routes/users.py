from fastapi import APIRouter, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.routes.paging import Limit, Skip
from functions.admin.schemas.problems import CONFLICT, INVALID, NOT_FOUND, UNAUTHORIZED
from functions.admin.schemas.usage import UsageAnswer
from functions.admin.schemas.users import UserAnswer, UserCreate, UserPatch
from functions.admin.services import Master, Services

router = APIRouter(
    prefix="/v1/users",
    tags=["users"],
    route_class=ExactRoute,
    dependencies=Master,
    responses={**UNAUTHORIZED, **INVALID},
)


@router.post("", response_model=UserAnswer, responses={**NOT_FOUND, **CONFLICT})
async def create_user(wanted: UserCreate, services: Services) -> Response:
    """Add a user. A deleted one is revived with nothing spent, except in a calendar period."""
    return answer(UserAnswer.of(await services.users.create(wanted.request())))


@router.get("", response_model=list[UserAnswer])
async def list_users(services: Services, skip: Skip = 0, limit: Limit = 100) -> Response:
    """List users in the order of their ids, without the deleted ones."""
    standings = await services.users.page(skip=skip, limit=limit)
    return answer([UserAnswer.of(standing) for standing in standings])


@router.get(
    "/{user_id:slashed}/usage",
    response_model=list[UsageAnswer],
    responses=NOT_FOUND,
    tags=["usage"],
)
async def list_user_usage(
    user_id: str, services: Services, skip: Skip = 0, limit: Limit = 100
) -> Response:
    """List one user's requests, newest first, also after the user was deleted."""
    records = await services.usage.of_user(user_id, skip=skip, limit=limit)
    return answer([UsageAnswer.of(record) for record in records])


@router.get("/{user_id:user_id}", response_model=UserAnswer, responses=NOT_FOUND)
async def get_user(user_id: str, services: Services) -> Response:
    """Show a user and what they have spent."""
    return answer(UserAnswer.of(await services.users.get(user_id)))


@router.patch("/{user_id:user_id}", response_model=UserAnswer, responses=NOT_FOUND)
async def change_user(user_id: str, patch: UserPatch, services: Services) -> Response:
    """Change a user. It takes effect within seconds, once running gateways have read it again."""
    return answer(UserAnswer.of(await services.users.change(user_id, patch.changes())))


@router.delete("/{user_id:user_id}", status_code=204, responses=NOT_FOUND)
async def delete_user(user_id: str, services: Services) -> None:
    """Delete a user and deactivate their keys. Their usage stays in the books."""
    await services.users.remove(user_id)
