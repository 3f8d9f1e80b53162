"""Vaults: who can open one, and another key for it."""

from fastapi import APIRouter, Response

from bursar.domain.projects import person_holder
from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.dependencies import Me, Office
from functions.admin.platform.roles import IN_A_PROJECT, Managed, Owned, Readable
from functions.admin.platform.schemas.fields import Message
from functions.admin.platform.schemas.projects import ProjectAnswer
from functions.admin.platform.schemas.vault import (
    VaultAnswer,
    VaultRotate,
    VaultShareAnswer,
    VaultShareBody,
)
from functions.admin.schemas.problems import BAD_REQUEST, CONFLICT

router = APIRouter(
    prefix="/api/v1/projects/{project_id}/vault",
    tags=["vault"],
    route_class=ExactRoute,
    responses=IN_A_PROJECT,
)


@router.get("", response_model=VaultAnswer)
async def get_vault(project: Readable, me: Me, office: Office) -> Response:
    """Show a vault's public key and its shares, which only their holders can open."""
    shares = await office.vault_shares.list(project)
    return answer(VaultAnswer.of(project, shares, person_holder(me.person_id)))


@router.put("/shares/person/{person_id}", response_model=VaultShareAnswer, responses=CONFLICT)
async def put_vault_share(
    person_id: str, body: VaultShareBody, project: Managed, office: Office
) -> Response:
    """Let a member open the vault; whoever can open it seals its key for them."""
    share = await office.vault_shares.put_for_person(project, person_id, body.share())
    return answer(VaultShareAnswer.of(share))


@router.delete("/shares/person/{person_id}", response_model=Message)
async def delete_vault_share(person_id: str, project: Managed, office: Office) -> Response:
    """Take a share away. Its holder may have kept the vault's key: rotating it locks them out."""
    await office.vault_shares.remove_of_person(project, person_id)
    return answer(Message(message="Vault share deleted"))


@router.post("/rotate", response_model=ProjectAnswer, responses={**BAD_REQUEST, **CONFLICT})
async def rotate_vault(wanted: VaultRotate, project: Owned, office: Office) -> Response:
    """Replace a vault's key while its users go on working. It can be repeated.

    All or nothing: if something is left out, or has changed since it was read, nothing changes.
    """
    return answer(ProjectAnswer.of(await office.vault_rotation.rotate(project, wanted.request())))
