from fastapi import APIRouter, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.routes.paging import Limit, Skip
from functions.admin.schemas.pricing import PriceAnswer, PriceCreate
from functions.admin.schemas.problems import INVALID, NOT_FOUND, UNAUTHORIZED, UNAVAILABLE
from functions.admin.services import Master, PriceReader, Services

router = APIRouter(
    prefix="/v1/pricing", tags=["pricing"], route_class=ExactRoute, responses=INVALID
)


@router.post("", response_model=PriceAnswer, dependencies=Master, responses=UNAUTHORIZED)
async def set_price(wanted: PriceCreate, services: Services) -> Response:
    """State a model's price in place of any other it has, optional fields included."""
    return answer(PriceAnswer.of(await services.prices.set(wanted.request())))


@router.get("", response_model=list[PriceAnswer], dependencies=PriceReader, responses=UNAVAILABLE)
async def list_prices(services: Services, skip: Skip = 0, limit: Limit = 100) -> Response:
    """List prices in the order of their models. Public, unless the deployment decides otherwise."""
    prices = await services.prices.page(skip=skip, limit=limit)
    return answer([PriceAnswer.of(price) for price in prices])


@router.get(
    "/{model_key:slashed}",
    response_model=PriceAnswer,
    dependencies=PriceReader,
    responses={**NOT_FOUND, **UNAVAILABLE},
)
async def get_price(model_key: str, services: Services) -> Response:
    """Show a model's price. Public, unless the deployment decides otherwise."""
    return answer(PriceAnswer.of(await services.prices.get(model_key)))


@router.delete(
    "/{model_key:slashed}",
    status_code=204,
    dependencies=Master,
    responses={**UNAUTHORIZED, **NOT_FOUND},
)
async def delete_price(model_key: str, services: Services) -> None:
    """Remove a model's price; without one it is no longer served."""
    await services.prices.remove(model_key)
