from typing import Annotated

from fastapi import APIRouter, Header, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.dependencies import Office
from functions.admin.platform.proofs import ClientName, Proven
from functions.admin.platform.schemas.direct import SealedKeyAnswer
from functions.admin.schemas.problems import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    NOT_FOUND,
    UNAUTHORIZED,
)

router = APIRouter(
    prefix="/api/v1/provider-keys",
    tags=["direct mode"],
    route_class=ExactRoute,
    responses={**UNAUTHORIZED, **INVALID},
)

_Formats = Annotated[
    str,
    Header(
        alias="Bursar-Vault-Formats",
        max_length=20,
        description="Formats that the client can open, as in `1,2`.",
    ),
]

_Lease = Annotated[
    str | None,
    Header(
        alias="Bursar-Lease",
        max_length=64,
        description="The lease that the caller will spend from: no budget refuses what is held.",
    ),
]


@router.get(
    "/{provider}",
    response_model=SealedKeyAnswer,
    responses={**FORBIDDEN, **NOT_FOUND, **CONFLICT},
)
async def get_sealed_key(
    provider: str,
    project: Proven,
    office: Office,
    *,
    client_name: ClientName = None,
    formats: _Formats = "1",
    lease_id: _Lease = None,
) -> Response:
    """Show a project's sealed key of a provider, unless a budget is exhausted."""
    known = frozenset(int(each) for each in formats.split(",") if each.strip() in {"1", "2"})
    key = await office.sealed_keys.fetch(project, provider, client_name, known, lease_id)
    return answer(SealedKeyAnswer.of(key))
