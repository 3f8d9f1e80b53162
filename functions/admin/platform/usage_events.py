from fastapi import APIRouter

from functions.admin.exact_json import ExactRoute
from functions.admin.platform.dependencies import Office
from functions.admin.platform.proofs import ClientName, Proven
from functions.admin.platform.schemas.direct import UsageEvent
from functions.admin.schemas.problems import INVALID, NOT_FOUND, UNAUTHORIZED

router = APIRouter(
    prefix="/api/v1/usage-events",
    tags=["direct mode"],
    route_class=ExactRoute,
    responses={**UNAUTHORIZED, **INVALID},
)

ENDPOINT = "/api/v1/usage-events/"


@router.post("/", status_code=204, responses=NOT_FOUND)
async def report_usage(
    event: UsageEvent, project: Proven, office: Office, client_name: ClientName = None
) -> None:
    """Count a call that a client made itself. It has been spent, so no budget refuses it."""
    await office.reported_usage.enter(project.project, event.report(ENDPOINT, client_name))
