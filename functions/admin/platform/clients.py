from fastapi import APIRouter, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.answers import created
from functions.admin.platform.dependencies import Office
from functions.admin.platform.roles import IN_A_PROJECT, Managed, Readable
from functions.admin.platform.schemas.clients import (
    ClientAnswer,
    ClientCreate,
    ClientList,
    ClientPatch,
)
from functions.admin.platform.schemas.fields import Message
from functions.admin.routes.paging import Limit, Skip
from functions.admin.schemas.problems import CONFLICT

router = APIRouter(
    prefix="/api/v1/projects/{project_id}/clients",
    tags=["clients"],
    route_class=ExactRoute,
    responses=IN_A_PROJECT,
)


@router.get("/", response_model=ClientList)
async def list_clients(
    project: Readable, office: Office, skip: Skip = 0, limit: Limit = 100
) -> Response:
    """List a project's clients, oldest first."""
    clients = await office.clients.list(project)
    return answer(ClientList.of(project, clients[skip : skip + limit], len(clients)))


@router.post("/", status_code=201, response_model=ClientAnswer, responses=CONFLICT)
async def create_client(wanted: ClientCreate, project: Managed, office: Office) -> Response:
    """Add a client. Only one that is said to be the default becomes it."""
    client = await office.clients.create(project, wanted.name)
    if wanted.is_default:
        project = await office.clients.make_default(project, client.client_id, is_default=True)
    return created(ClientAnswer.of(project, client))


@router.get("/{client_id}", response_model=ClientAnswer)
async def get_client(client_id: str, project: Readable, office: Office) -> Response:
    """Show a client."""
    return answer(ClientAnswer.of(project, await office.clients.get(project, client_id)))


@router.patch("/{client_id}", response_model=ClientAnswer, responses=CONFLICT)
async def change_client(
    client_id: str, patch: ClientPatch, project: Managed, office: Office
) -> Response:
    """Rename a client, or make it the default one, or no longer."""
    if patch.name is not None:
        await office.clients.rename(project, client_id, patch.name)
    if patch.is_default is not None:
        project = await office.clients.make_default(project, client_id, is_default=patch.is_default)
    return answer(ClientAnswer.of(project, await office.clients.get(project, client_id)))


@router.delete("/{client_id}", response_model=Message)
async def delete_client(client_id: str, project: Managed, office: Office) -> Response:
    """Delete a client and its budgets. Its usage stays in the books."""
    await office.clients.remove(project, client_id)
    return answer(Message(message="Client deleted"))


@router.post("/{client_id}/set-default", response_model=ClientAnswer)
async def set_default_client(client_id: str, project: Managed, office: Office) -> Response:
    """Make a client the default one."""
    project = await office.clients.make_default(project, client_id, is_default=True)
    return answer(ClientAnswer.of(project, await office.clients.get(project, client_id)))
