from fastapi import APIRouter, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.schemas.problems import INVALID, UNAUTHORIZED, UNAVAILABLE
from functions.admin.schemas.settings import SettingsAnswer
from functions.admin.services import Master, Settings

router = APIRouter(
    prefix="/v1/settings",
    tags=["settings"],
    route_class=ExactRoute,
    dependencies=Master,
    responses={**UNAUTHORIZED, **INVALID, **UNAVAILABLE},
)


@router.get("", response_model=SettingsAnswer)
async def get_settings(settings: Settings) -> Response:
    """Show what decides about requests, without any secret.

    On Lambda these are the management API's own; the data plane's differ where its function has
    variables of its own.
    """
    return answer(SettingsAnswer.of(settings.deployment))
