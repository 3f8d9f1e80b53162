"""Budgets of projects, and below each client the same of its own."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from bursar.domain.projects import SpendPeriod
from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.answers import created
from functions.admin.platform.dependencies import Office
from functions.admin.platform.roles import IN_A_PROJECT, Owned, Readable
from functions.admin.platform.schemas.fields import Message
from functions.admin.platform.schemas.project_budgets import (
    ListedBudget,
    ProjectBudgetAnswer,
    ProjectBudgetCreate,
    ProjectBudgetList,
    ProjectBudgetPatch,
    ProjectResetPage,
)
from functions.admin.routes.paging import Cursor, Limit
from functions.admin.schemas.problems import BAD_REQUEST, CONFLICT

router = APIRouter(
    prefix="/api/v1/projects/{project_id}",
    tags=["project budgets"],
    route_class=ExactRoute,
    responses=IN_A_PROJECT,
)
_DELETED = Message(message="Budget deleted")


async def _readable_client(client_id: str, project: Readable, office: Office) -> str:
    return (await office.clients.get(project, client_id)).client_id


async def _owned_client(client_id: str, project: Owned, office: Office) -> str:
    return (await office.clients.get(project, client_id)).client_id


_ReadableClient = Annotated[str, Depends(_readable_client)]
_OwnedClient = Annotated[str, Depends(_owned_client)]


@router.get("/budgets", response_model=ProjectBudgetList)
async def list_project_budgets(project: Readable, office: Office) -> Response:
    """List the budgets of a project as a whole."""
    return answer(ProjectBudgetList.of(await office.project_budgets.list(project, None)))


@router.post("/budgets", status_code=201, response_model=ProjectBudgetAnswer, responses=CONFLICT)
async def create_project_budget(
    wanted: ProjectBudgetCreate, project: Owned, office: Office
) -> Response:
    """Limit what a project spends; what it has spent in the current period counts."""
    standing = await office.project_budgets.create(
        project, None, wanted.spend_period, wanted.budget_limit
    )
    return created(ProjectBudgetAnswer.of(standing))


@router.get("/budgets/{period}", response_model=ProjectBudgetAnswer)
async def get_project_budget(period: SpendPeriod, project: Readable, office: Office) -> Response:
    """Show a project's budget and how much of it is spent."""
    return answer(ProjectBudgetAnswer.of(await office.project_budgets.get(project, None, period)))


@router.patch("/budgets/{period}", response_model=ProjectBudgetAnswer)
async def change_project_budget(
    period: SpendPeriod, patch: ProjectBudgetPatch, project: Owned, office: Office
) -> Response:
    """Set another limit. It takes effect within seconds."""
    standing = await office.project_budgets.change(project, None, period, patch.budget_limit)
    return answer(ProjectBudgetAnswer.of(standing))


@router.delete("/budgets/{period}", response_model=Message)
async def delete_project_budget(period: SpendPeriod, project: Owned, office: Office) -> Response:
    """Lift a limit. What was spent is not forgotten: made again, the budget goes on from there."""
    await office.project_budgets.remove(project, None, period)
    return answer(_DELETED)


@router.get("/budgets/{period}/resets", response_model=ProjectResetPage, responses=BAD_REQUEST)
async def list_project_budget_resets(
    period: SpendPeriod,
    project: Readable,
    office: Office,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List the periods of a project's budget that have ended, newest first."""
    resets = office.project_budgets.resets(project, None, period, limit=limit, cursor=cursor)
    return answer(ProjectResetPage.of(*await resets))


@router.get("/clients/{client_id}/budgets/", response_model=list[ListedBudget])
async def list_client_budgets(
    client_id: _ReadableClient, project: Readable, office: Office
) -> Response:
    """List a client's budgets."""
    standings = await office.project_budgets.list(project, client_id)
    return answer([ListedBudget.of(standing) for standing in standings])


@router.post(
    "/clients/{client_id}/budgets/",
    status_code=201,
    response_model=ProjectBudgetAnswer,
    responses=CONFLICT,
)
async def create_client_budget(
    wanted: ProjectBudgetCreate, client_id: _OwnedClient, project: Owned, office: Office
) -> Response:
    """Limit what a client spends; what it has spent in the current period counts."""
    standing = await office.project_budgets.create(
        project, client_id, wanted.spend_period, wanted.budget_limit
    )
    return created(ProjectBudgetAnswer.of(standing))


@router.get("/clients/{client_id}/budgets/{period}", response_model=ProjectBudgetAnswer)
async def get_client_budget(
    period: SpendPeriod, client_id: _ReadableClient, project: Readable, office: Office
) -> Response:
    """Show a client's budget and how much of it is spent."""
    standing = await office.project_budgets.get(project, client_id, period)
    return answer(ProjectBudgetAnswer.of(standing))


@router.patch("/clients/{client_id}/budgets/{period}", response_model=ProjectBudgetAnswer)
async def change_client_budget(
    period: SpendPeriod,
    patch: ProjectBudgetPatch,
    client_id: _OwnedClient,
    project: Owned,
    office: Office,
) -> Response:
    """Set another limit. It takes effect within seconds."""
    standing = await office.project_budgets.change(project, client_id, period, patch.budget_limit)
    return answer(ProjectBudgetAnswer.of(standing))


@router.delete("/clients/{client_id}/budgets/{period}", response_model=Message)
async def delete_client_budget(
    period: SpendPeriod, client_id: _OwnedClient, project: Owned, office: Office
) -> Response:
    """Lift a client's limit."""
    await office.project_budgets.remove(project, client_id, period)
    return answer(_DELETED)


@router.get(
    "/clients/{client_id}/budgets/{period}/resets",
    response_model=ProjectResetPage,
    responses=BAD_REQUEST,
)
async def list_client_budget_resets(  # noqa: PLR0917 (FastAPI passes each by its name)
    period: SpendPeriod,
    client_id: _ReadableClient,
    project: Readable,
    office: Office,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """List the periods of a client's budget that have ended, newest first."""
    resets = office.project_budgets.resets(project, client_id, period, limit=limit, cursor=cursor)
    return answer(ProjectResetPage.of(*await resets))
