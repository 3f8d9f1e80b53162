from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from bursar.domain.people import Role
from bursar.domain.projects import Project, ProviderKey
from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.answers import created
from functions.admin.platform.dependencies import Me, Office
from functions.admin.platform.roles import IN_A_PROJECT, Readable
from functions.admin.platform.schemas.fields import Message
from functions.admin.platform.schemas.provider_keys import (
    ProviderKeyAnswer,
    ProviderKeyCreate,
    ProviderKeyList,
    ProviderKeyPatch,
)
from functions.admin.schemas.problems import BAD_REQUEST, CONFLICT

router = APIRouter(
    prefix="/api/v1/provider-keys",
    tags=["provider keys"],
    route_class=ExactRoute,
    responses=IN_A_PROJECT,
)


async def _managed(provider_key_id: str, me: Me, office: Office) -> tuple[Project, ProviderKey]:
    return await office.provider_keys.reached(me, provider_key_id, Role.MEMBER)


_Managed = Annotated[tuple[Project, ProviderKey], Depends(_managed)]
_Archived = Annotated[bool, Query(description="Archived ones, too.")]
_Permanent = Annotated[bool, Query(description="Delete it for good, instead of archiving it.")]


@router.get(
    "/project/{project_id}",  # noqa: FAST003 (the dependency takes it)
    response_model=ProviderKeyList,
)
async def list_provider_keys(
    project: Readable, office: Office, *, include_archived: _Archived = False
) -> Response:
    """List a project's provider keys, oldest first."""
    keys = await office.provider_keys.list(project, include_archived=include_archived)
    return answer(ProviderKeyList.of(keys))


@router.post(
    "/", status_code=201, response_model=ProviderKeyAnswer, responses={**BAD_REQUEST, **CONFLICT}
)
async def create_provider_key(wanted: ProviderKeyCreate, me: Me, office: Office) -> Response:
    """Keep a provider's key, sealed for the project's vault."""
    project = await office.access.membership(me, wanted.project_id, Role.MEMBER)
    key = await office.provider_keys.create(project, wanted.provider, wanted.encrypted_key)
    return created(ProviderKeyAnswer.of(key))


@router.patch(
    "/{provider_key_id}",  # noqa: FAST003 (the dependency takes it)
    response_model=ProviderKeyAnswer,
    responses=BAD_REQUEST,
)
async def change_provider_key(
    patch: ProviderKeyPatch, reached: _Managed, office: Office
) -> Response:
    """Replace a key's sealed text, also an archived key's."""
    key = await office.provider_keys.replace(*reached, patch.encrypted_key or "")
    return answer(ProviderKeyAnswer.of(key))


@router.delete(
    "/{provider_key_id}",  # noqa: FAST003 (the dependency takes it)
    response_model=Message,
)
async def delete_provider_key(
    reached: _Managed, office: Office, *, permanent: _Permanent = False
) -> Response:
    """Archive a key, which can be undone, or delete it for good."""
    _, key = reached
    if permanent:
        await office.provider_keys.remove(key)
        return answer(Message(message="Provider key deleted"))
    await office.provider_keys.archive(key)
    return answer(Message(message="Provider key archived"))


@router.post(
    "/{provider_key_id}/unarchive",  # noqa: FAST003 (the dependency takes it)
    response_model=ProviderKeyAnswer,
    responses=CONFLICT,
)
async def unarchive_provider_key(reached: _Managed, office: Office) -> Response:
    """Let an archived key be used again."""
    return answer(ProviderKeyAnswer.of(await office.provider_keys.unarchive(*reached)))
