from typing import Annotated

from fastapi import APIRouter, Query, Response

from functions.admin.exact_json import ExactRoute, answer
from functions.admin.routes.paging import Limit, Skip
from functions.admin.schemas.pricing import (
    EffectivePriceAnswer,
    PriceAnswer,
    PriceCreate,
    PriceStatementAnswer,
)
from functions.admin.schemas.problems import (
    BAD_REQUEST,
    INVALID,
    NOT_FOUND,
    UNAUTHORIZED,
    UNAVAILABLE,
)
from functions.admin.services import Master, PriceReader, Services

router = APIRouter(
    prefix="/v1/pricing", tags=["pricing"], route_class=ExactRoute, responses=INVALID
)


@router.post(
    "", response_model=PriceAnswer, dependencies=Master, responses={**UNAUTHORIZED, **BAD_REQUEST}
)
async def set_price(wanted: PriceCreate, services: Services) -> Response:
    """State a model's price in place of any other it has, optional fields included.

    It applies at once or from `effective_from` on; what was announced for later stays.
    """
    return answer(PriceAnswer.of(await services.prices.set(wanted.request())))


@router.get("", response_model=list[PriceAnswer], dependencies=PriceReader, responses=UNAVAILABLE)
async def list_prices(services: Services, skip: Skip = 0, limit: Limit = 100) -> Response:
    """List prices in the order of their models. Public, unless the deployment decides otherwise."""
    prices = await services.prices.page(skip=skip, limit=limit)
    return answer([PriceAnswer.of(price) for price in prices])


@router.get(
    "/effective",
    response_model=EffectivePriceAnswer,
    dependencies=PriceReader,
    responses={**UNAVAILABLE, **BAD_REQUEST},
)
async def get_effective_price(
    services: Services, model: Annotated[str, Query(min_length=1, max_length=200)]
) -> Response:
    """Tell which price applies to a model now, whose it is, or why there is none.

    Public, unless the deployment decides otherwise.
    """
    return answer(EffectivePriceAnswer.of(await services.prices.effective(model)))


@router.get(
    "/catalogue",
    response_model=EffectivePriceAnswer,
    dependencies=PriceReader,
    responses={**UNAVAILABLE, **BAD_REQUEST},
)
async def get_catalogued_price(
    services: Services, model: Annotated[str, Query(min_length=1, max_length=200)]
) -> Response:
    """Tell what the catalogue says of a model, whatever was set for it.

    Public, unless the deployment decides otherwise.
    """
    return answer(EffectivePriceAnswer.of(await services.prices.catalogued(model)))


@router.get(
    "/{model_key:slashed}/history",
    response_model=list[PriceStatementAnswer],
    dependencies=PriceReader,
    responses={**NOT_FOUND, **UNAVAILABLE},
)
async def get_price_history(model_key: str, services: Services) -> Response:
    """List all that was ever stated of a model's price, newest first, removals included.

    Public, unless the deployment decides otherwise.
    """
    statements = await services.prices.history(model_key)
    return answer([PriceStatementAnswer.of(statement) for statement in statements])


@router.get(
    "/{model_key:priced_model}",
    response_model=PriceAnswer,
    dependencies=PriceReader,
    responses={**NOT_FOUND, **UNAVAILABLE},
)
async def get_price(model_key: str, services: Services) -> Response:
    """Show a model's price. Public, unless the deployment decides otherwise."""
    return answer(PriceAnswer.of(await services.prices.get(model_key)))


@router.delete(
    "/{model_key:priced_model}",
    status_code=204,
    dependencies=Master,
    responses={**UNAUTHORIZED, **NOT_FOUND},
)
async def delete_price(model_key: str, services: Services) -> None:
    """Remove a model's price, and what was announced with it; the catalogue's applies again.

    A model that the catalogue does not know is no longer served.
    """
    await services.prices.remove(model_key)
