import logging

from fastapi import APIRouter, Response
from pydantic import BaseModel

from bursar.domain.errors import StoreUnavailable
from functions.admin.errors import unhealthy_body
from functions.admin.exact_json import ExactJSONResponse, answer
from functions.admin.schemas.problems import UNHEALTHY
from functions.admin.services import Services, Settings

_LOGGER = logging.getLogger(__name__)

router = APIRouter(prefix="/health", tags=["health"])


class Health(BaseModel):
    """The gateway's process runs."""

    status: str


class Readiness(BaseModel):
    """The gateway can work."""

    status: str
    database: str
    version: str


@router.get("")
async def health() -> Health:
    """Tell that the process runs."""
    return Health(status="healthy")


@router.get("/liveness")
async def liveness() -> str:
    """Tell that the process runs, as a JSON string."""
    return "I'm alive!"


@router.get("/readiness", response_model=Readiness, responses=UNHEALTHY)
async def readiness(services: Services, settings: Settings) -> Response:
    """Tell whether the store answers."""
    try:
        await services.check_store()
    except StoreUnavailable as error:
        _LOGGER.warning("not ready: %s", error.message)
        detail = {
            "status": "unhealthy",
            "database": "unavailable",
            "version": settings.version,
        }
        return ExactJSONResponse(unhealthy_body(detail), 503)
    return answer(Readiness(status="healthy", database="connected", version=settings.version))
