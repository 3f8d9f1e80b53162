from fastapi import APIRouter, Response

from bursar.domain.keys import VirtualKey
from bursar.services.admin_keys import IssuedKey
from functions.admin.exact_json import ExactRoute, answer
from functions.admin.routes.paging import Limit, Skip
from functions.admin.schemas.keys import (
    IssuedKeyAnswer,
    KeyAnswer,
    KeyCreate,
    KeyPatch,
    KeyRotate,
)
from functions.admin.schemas.problems import CONFLICT, INVALID, NOT_FOUND, UNAUTHORIZED
from functions.admin.services import AdminServices, Master, Services

router = APIRouter(
    prefix="/v1/keys",
    tags=["keys"],
    route_class=ExactRoute,
    dependencies=Master,
    responses={**UNAUTHORIZED, **INVALID},
)


@router.post("", response_model=IssuedKeyAnswer | KeyAnswer, responses={**NOT_FOUND, **CONFLICT})
async def create_key(wanted: KeyCreate, services: Services) -> Response:
    """Issue a virtual key. The answer is the only place where the key itself is ever shown.

    With `key_digest`, a key that another gateway issued is taken over instead: it goes on working,
    and the answer has no `key`.
    """
    foreign = wanted.foreign()
    if foreign is not None:
        return await _shown(services, await services.keys.take_over(wanted.request(), foreign))
    return await _issued(services, await services.keys.create(wanted.request()))


@router.get("", response_model=list[KeyAnswer])
async def list_keys(services: Services, skip: Skip = 0, limit: Limit = 100) -> Response:
    """List keys in the order of their ids."""
    keys = await services.keys.page(skip=skip, limit=limit)
    return answer([KeyAnswer.of(standing) for standing in await services.keys.standings(keys)])


@router.get("/{key_id}", response_model=KeyAnswer, responses=NOT_FOUND)
async def get_key(key_id: str, services: Services) -> Response:
    """Show a key's record."""
    return await _shown(services, await services.keys.get(key_id))


@router.patch("/{key_id}", response_model=KeyAnswer, responses=NOT_FOUND)
async def change_key(key_id: str, patch: KeyPatch, services: Services) -> Response:
    """Change a key. It takes effect within seconds, once running gateways have read it again."""
    return await _shown(services, await services.keys.change(key_id, patch.changes()))


@router.post(
    "/{key_id}/rotate", response_model=IssuedKeyAnswer, responses={**NOT_FOUND, **CONFLICT}
)
async def rotate_key(key_id: str, services: Services, wanted: KeyRotate | None = None) -> Response:
    """Replace a key, keeping its id, user, limits and books.

    The replaced key works until the grace period is over. Rotating again in a grace period ends
    it: at most two keys work at a time. A project's key is rotated in its project.
    """
    grace_s = (wanted or KeyRotate()).grace_period_sec
    return await _issued(services, await services.keys.rotate(key_id, grace_s=grace_s))


@router.delete("/{key_id}", status_code=204, responses=NOT_FOUND)
async def delete_key(key_id: str, services: Services) -> None:
    """Revoke a key for good. Its usage stays in the books, under the key's id."""
    await services.keys.remove(key_id)


async def _shown(services: AdminServices, key: VirtualKey) -> Response:
    (standing,) = await services.keys.standings([key])
    return answer(KeyAnswer.of(standing))


async def _issued(services: AdminServices, issued: IssuedKey) -> Response:
    (standing,) = await services.keys.standings([issued.record])
    return answer(IssuedKeyAnswer.issued(issued.virtual_key, standing))
