from fastapi import APIRouter, Response

from bursar.domain.people import Role
from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.answers import created
from functions.admin.platform.dependencies import Me, Office
from functions.admin.platform.roles import IN_A_PROJECT, Owned, Readable
from functions.admin.platform.schemas.fields import Message
from functions.admin.platform.schemas.projects import (
    ProjectAnswer,
    ProjectCreate,
    ProjectList,
    ProjectPatch,
)
from functions.admin.routes.paging import Limit, Skip
from functions.admin.schemas.problems import BAD_REQUEST, CONFLICT, INVALID, UNAUTHORIZED

router = APIRouter(
    prefix="/api/v1/projects",
    tags=["projects"],
    route_class=ExactRoute,
    responses={**UNAUTHORIZED, **INVALID},
)


@router.get("/", response_model=ProjectList)
async def list_projects(me: Me, office: Office, skip: Skip = 0, limit: Limit = 100) -> Response:
    """List the projects that you belong to, oldest first."""
    projects, count = await office.projects.list(me, skip=skip, limit=limit)
    return answer(ProjectList.of(projects, count))


@router.post(
    "/", status_code=201, response_model=ProjectAnswer, responses={**BAD_REQUEST, **CONFLICT}
)
async def create_project(wanted: ProjectCreate, me: Me, office: Office) -> Response:
    """Make a project. You are its owner."""
    return created(ProjectAnswer.of(await office.projects.create(me, wanted.request())))


@router.get(
    "/{project_id}",  # noqa: FAST003 (the dependency takes it)
    response_model=ProjectAnswer,
    responses=IN_A_PROJECT,
)
async def get_project(project: Readable) -> Response:
    """Show a project."""
    return answer(ProjectAnswer.of(project))


@router.patch(
    "/{project_id}",
    response_model=ProjectAnswer,
    responses={**IN_A_PROJECT, **BAD_REQUEST, **CONFLICT},
)
async def change_project(project_id: str, patch: ProjectPatch, me: Me, office: Office) -> Response:
    """Change a project; the encryption key is its owners' to change."""
    changes = patch.changes()
    needed = Role.OWNER if "encryption_key" in changes else Role.MEMBER
    project = await office.access.membership(me, project_id, needed)
    return answer(ProjectAnswer.of(await office.projects.change(project, changes)))


@router.delete(
    "/{project_id}",  # noqa: FAST003 (the dependency takes it)
    response_model=Message,
    responses=IN_A_PROJECT,
)
async def delete_project(project: Owned, office: Office) -> Response:
    """Delete a project with its vault, clients and budgets, and end its virtual keys.

    Its usage stays in the books.
    """
    await office.projects.remove(project)
    return answer(Message(message="Project deleted"))
