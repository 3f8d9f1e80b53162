from typing import Annotated

from fastapi import APIRouter, Query, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.routes.paging import Cursor, Limit, Skip
from functions.admin.schemas.budgets import (
    BudgetAnswer,
    BudgetCreate,
    BudgetPatch,
    ResetAnswer,
    ResetPageAnswer,
)
from functions.admin.schemas.problems import (
    BAD_REQUEST,
    CONFLICT,
    INVALID,
    NOT_FOUND,
    UNAUTHORIZED,
)
from functions.admin.services import Master, Services

router = APIRouter(
    prefix="/v1/budgets",
    tags=["budgets"],
    route_class=ExactRoute,
    dependencies=Master,
    responses={**UNAUTHORIZED, **INVALID},
)

_Detach = Annotated[
    bool, Query(description="Take it from its users and keys first; they lose this limit.")
]


@router.post("", response_model=BudgetAnswer, responses=CONFLICT)
async def create_budget(wanted: BudgetCreate, services: Services) -> Response:
    """Add a budget, to be assigned to users and keys."""
    return answer(BudgetAnswer.of(await services.budgets.create(wanted.request())))


@router.get("", response_model=list[BudgetAnswer])
async def list_budgets(services: Services, skip: Skip = 0, limit: Limit = 100) -> Response:
    """List budgets in the order of their ids."""
    standings = await services.budgets.page(skip=skip, limit=limit)
    return answer([BudgetAnswer.of(standing) for standing in standings])


@router.get("/{budget_id}", response_model=BudgetAnswer, responses=NOT_FOUND)
async def get_budget(budget_id: str, services: Services) -> Response:
    """Show a budget, and a pool's spending."""
    return answer(BudgetAnswer.of(await services.budgets.get(budget_id)))


@router.patch("/{budget_id}", response_model=BudgetAnswer, responses={**NOT_FOUND, **CONFLICT})
async def change_budget(budget_id: str, patch: BudgetPatch, services: Services) -> Response:
    """Change a budget. What its holders have spent follows them into a changed period."""
    return answer(BudgetAnswer.of(await services.budgets.change(budget_id, patch.changes())))


@router.delete("/{budget_id}", status_code=204, responses={**NOT_FOUND, **CONFLICT})
async def delete_budget(budget_id: str, services: Services, *, detach: _Detach = False) -> None:
    """Delete a budget that nobody has, or take it from everybody first."""
    await services.budgets.remove(budget_id, detach=detach)


@router.get(
    "/{budget_id}/resets",
    response_model=ResetPageAnswer,
    responses={**NOT_FOUND, **BAD_REQUEST},
)
async def list_resets(
    budget_id: str, services: Services, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """List the periods of a budget that have ended, newest first."""
    resets, following = await services.budgets.resets(budget_id, limit=limit, cursor=cursor)
    page = [ResetAnswer.of(reset) for reset in resets]
    return answer(ResetPageAnswer(data=page, next_cursor=following))
