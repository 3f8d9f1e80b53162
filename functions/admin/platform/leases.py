from fastapi import APIRouter, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.platform.answers import created
from functions.admin.platform.dependencies import Office, ProjectToken
from functions.admin.platform.proofs import ClientName
from functions.admin.platform.schemas.direct import (
    GrantedLease,
    LeaseAnswer,
    LeaseCreate,
    SigningKeys,
)
from functions.admin.schemas.problems import (
    BAD_REQUEST,
    FORBIDDEN,
    INVALID,
    NOT_FOUND,
    UNAUTHORIZED,
)

router = APIRouter(
    prefix="/api/v1/leases",
    tags=["direct mode"],
    route_class=ExactRoute,
    responses={**UNAUTHORIZED, **INVALID},
)


@router.post(
    "/",
    status_code=201,
    response_model=GrantedLease,
    responses={**BAD_REQUEST, **FORBIDDEN, **NOT_FOUND},
)
async def create_lease(
    wanted: LeaseCreate, project: ProjectToken, office: Office, client_name: ClientName = None
) -> Response:
    """Reserve an amount in the project's and its client's budgets, to be spent by the caller.

    Report usage with its id; close it to give the rest back. What is not reported in time is
    charged as the deployment's policy says.
    """
    lease = await office.leases.grant(project.project, wanted.request(client_name))
    return created(GrantedLease.granted(lease, await office.lease_signing.statement(lease)))


@router.get("/keys", response_model=SigningKeys)
async def get_signing_keys(office: Office) -> Response:
    """Show what a lease's statement is checked with."""
    return answer(SigningKeys(**await office.lease_signing.public_keys()))


@router.get("/{lease_id}", response_model=LeaseAnswer, responses=NOT_FOUND)
async def get_lease(lease_id: str, project: ProjectToken, office: Office) -> Response:
    """Show a lease as it stands."""
    return answer(LeaseAnswer.of(await office.leases.get(project.project, lease_id)))


@router.post("/{lease_id}/close", response_model=LeaseAnswer, responses=NOT_FOUND)
async def close_lease(lease_id: str, project: ProjectToken, office: Office) -> Response:
    """Give back what was not used. A report that comes later is charged by itself."""
    return answer(LeaseAnswer.of(await office.leases.close(project.project, lease_id)))
