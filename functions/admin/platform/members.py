from fastapi import APIRouter, Response

from bursar.domain.people import Role
from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.answers import created
from functions.admin.platform.dependencies import Me, Office
from functions.admin.platform.schemas.fields import Message
from functions.admin.platform.schemas.people import (
    MemberAdd,
    MemberAnswer,
    MemberList,
    MemberPatch,
)
from functions.admin.schemas.problems import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    NOT_FOUND,
    UNAUTHORIZED,
)

router = APIRouter(
    prefix="/api/v1/projects/{project_id}/members",
    tags=["projects"],
    route_class=ExactRoute,
    responses={**UNAUTHORIZED, **FORBIDDEN, **NOT_FOUND, **INVALID},
)


@router.get("", response_model=MemberList)
async def list_members(project_id: str, me: Me, office: Office) -> Response:
    """List who belongs to a project."""
    await office.access.membership(me, project_id, Role.READ_ONLY)
    found = await office.members.list(project_id)
    data = [MemberAnswer.of(membership, person) for membership, person in found]
    return answer(MemberList(data=data, count=len(data)))


@router.post("", status_code=201, response_model=MemberAnswer, responses=CONFLICT)
async def add_member(project_id: str, wanted: MemberAdd, me: Me, office: Office) -> Response:
    """Let somebody with an account belong to a project."""
    await office.access.membership(me, project_id, Role.OWNER)
    person = await office.sign_in.find(wanted.email)
    membership = await office.members.add(project_id, person, wanted.role)
    return created(MemberAnswer.of(membership, await office.people.get(membership.person_id)))


@router.patch("/{person_id}", response_model=MemberAnswer, responses=CONFLICT)
async def change_member(
    project_id: str, person_id: str, wanted: MemberPatch, me: Me, office: Office
) -> Response:
    """Give a member another role."""
    await office.access.membership(me, project_id, Role.OWNER)
    membership = await office.members.change(project_id, person_id, wanted.role)
    return answer(MemberAnswer.of(membership, await office.people.get(person_id)))


@router.delete("/{person_id}", response_model=Message, responses=CONFLICT)
async def remove_member(project_id: str, person_id: str, me: Me, office: Office) -> Response:
    """Take somebody out of a project; everybody may take out themselves."""
    needed = Role.READ_ONLY if person_id == me.person_id else Role.OWNER
    await office.access.membership(me, project_id, needed)
    await office.members.remove(project_id, person_id)
    return answer(
        Message(message="Removed. They may have kept the vault's key: rotate it to lock them out")
    )
