from fastapi import APIRouter, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.routes.paging import Limit, Skip
from functions.admin.schemas.aliases import AliasAnswer, AliasCreate, AliasPatch
from functions.admin.schemas.problems import CONFLICT, INVALID, NOT_FOUND, UNAUTHORIZED
from functions.admin.services import Master, Services

router = APIRouter(
    prefix="/v1/aliases",
    tags=["aliases"],
    route_class=ExactRoute,
    dependencies=Master,
    responses={**UNAUTHORIZED, **INVALID},
)


@router.post("", response_model=AliasAnswer, responses=CONFLICT)
async def create_alias(wanted: AliasCreate, services: Services) -> Response:
    """Add a name that callers can ask for in place of a model."""
    return answer(AliasAnswer.of(await services.aliases.create(wanted.request())))


@router.get("", response_model=list[AliasAnswer])
async def list_aliases(services: Services, skip: Skip = 0, limit: Limit = 100) -> Response:
    """List aliases in the order of their names."""
    aliases = await services.aliases.page(skip=skip, limit=limit)
    return answer([AliasAnswer.of(alias) for alias in aliases])


@router.get("/{name:slashed}", response_model=AliasAnswer, responses=NOT_FOUND)
async def get_alias(name: str, services: Services) -> Response:
    """Show an alias."""
    return answer(AliasAnswer.of(await services.aliases.get(name)))


@router.patch("/{name:slashed}", response_model=AliasAnswer, responses=NOT_FOUND)
async def change_alias(name: str, patch: AliasPatch, services: Services) -> Response:
    """Change an alias; requests follow within seconds."""
    return answer(AliasAnswer.of(await services.aliases.change(name, patch.changes())))


@router.delete("/{name:slashed}", status_code=204, responses=NOT_FOUND)
async def delete_alias(name: str, services: Services) -> None:
    """Delete an alias; whoever asks for it is told that there is no such model."""
    await services.aliases.remove(name)
