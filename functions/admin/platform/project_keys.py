"""Virtual keys of projects. The gateway gets a digest and a share; the keys stay where they are."""

from fastapi import APIRouter, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.answers import created
from functions.admin.platform.dependencies import Office
from functions.admin.platform.roles import IN_A_PROJECT, Managed, Readable
from functions.admin.platform.schemas.fields import Message
from functions.admin.platform.schemas.project_keys import (
    ProjectKeyAnswer,
    ProjectKeyCreate,
    ProjectKeyList,
    ProjectKeyPatch,
    ProjectKeyRotate,
)
from functions.admin.routes.paging import Limit, Skip
from functions.admin.schemas.problems import BAD_REQUEST, CONFLICT

router = APIRouter(
    prefix="/api/v1/projects/{project_id}/keys",
    tags=["project keys"],
    route_class=ExactRoute,
    responses=IN_A_PROJECT,
)


@router.post(
    "", status_code=201, response_model=ProjectKeyAnswer, responses={**BAD_REQUEST, **CONFLICT}
)
async def create_project_key(
    wanted: ProjectKeyCreate, project: Managed, office: Office
) -> Response:
    """Enter a virtual key that opens the project's vault."""
    key = await office.project_keys.create(project, wanted.request())
    return created(ProjectKeyAnswer.of(key))


@router.get("", response_model=ProjectKeyList)
async def list_project_keys(
    project: Readable, office: Office, skip: Skip = 0, limit: Limit = 100
) -> Response:
    """List a project's virtual keys, oldest first."""
    keys = await office.project_keys.list(project)
    return answer(ProjectKeyList.of(keys[skip : skip + limit], len(keys)))


@router.get("/{key_id}", response_model=ProjectKeyAnswer)
async def get_project_key(key_id: str, project: Readable, office: Office) -> Response:
    """Show a virtual key's record."""
    return answer(ProjectKeyAnswer.of(await office.project_keys.get(project, key_id)))


@router.patch("/{key_id}", response_model=ProjectKeyAnswer)
async def change_project_key(
    key_id: str, patch: ProjectKeyPatch, project: Managed, office: Office
) -> Response:
    """Change a virtual key. It takes effect within seconds."""
    key = await office.project_keys.get(project, key_id)
    changed = await office.project_keys.change(project, key, patch.changes())
    return answer(ProjectKeyAnswer.of(changed))


@router.post(
    "/{key_id}/rotate", response_model=ProjectKeyAnswer, responses={**BAD_REQUEST, **CONFLICT}
)
async def rotate_project_key(
    key_id: str, wanted: ProjectKeyRotate, project: Managed, office: Office
) -> Response:
    """Replace a virtual key's text, keeping its id, limits and books.

    The replaced text works until the grace period is over; rotating again ends it before.
    """
    key = await office.project_keys.get(project, key_id)
    changed = await office.project_keys.rotate(
        project, key, wanted.digest, wanted.share.share(), grace_s=wanted.grace_period_sec
    )
    return answer(ProjectKeyAnswer.of(changed))


@router.delete("/{key_id}", response_model=Message)
async def delete_project_key(key_id: str, project: Managed, office: Office) -> Response:
    """Revoke a virtual key for good. Its usage stays in the books."""
    await office.project_keys.remove(await office.project_keys.get(project, key_id))
    return answer(Message(message="Virtual key deleted"))
