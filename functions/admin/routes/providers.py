from fastapi import APIRouter, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.routes.paging import Limit, Skip
from functions.admin.schemas.pricing import EffectivePriceAnswer
from functions.admin.schemas.problems import INVALID, NOT_FOUND, UNAUTHORIZED
from functions.admin.schemas.providers import ProviderAnswer
from functions.admin.services import Master, Services

router = APIRouter(
    prefix="/v1/providers",
    tags=["providers"],
    route_class=ExactRoute,
    dependencies=Master,
    responses={**UNAUTHORIZED, **INVALID},
)


@router.get("", response_model=list[ProviderAnswer])
async def list_providers(services: Services) -> Response:
    """List every provider that is known, whether it can be called, and where its key is."""
    return answer(
        [ProviderAnswer.of(standing) for standing in await services.provider_reports.all()]
    )


@router.get("/{provider}", response_model=ProviderAnswer, responses=NOT_FOUND)
async def get_provider(provider: str, services: Services) -> Response:
    """Show a provider."""
    return answer(ProviderAnswer.of(await services.provider_reports.get(provider)))


@router.get("/{provider}/models", response_model=list[EffectivePriceAnswer], responses=NOT_FOUND)
async def list_provider_models(
    provider: str, services: Services, skip: Skip = 0, limit: Limit = 100
) -> Response:
    """List a provider's priced models, with the prices that apply now and whose they are.

    What only a pattern prices is not among them.
    """
    found = await services.provider_reports.models(provider, skip=skip, limit=limit)
    return answer([EffectivePriceAnswer.of(effective) for effective in found])
