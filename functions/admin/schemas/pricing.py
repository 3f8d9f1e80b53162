from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from bursar.domain.errors import InvalidRequest
from bursar.domain.models import parse_model
from bursar.domain.pricing import Price
from bursar.services.admin_prices import PriceRequest
from functions.admin.schemas.examples import examples
from functions.admin.schemas.fields import Instant, Integer, RateUsd, Usd

_TokenCount = Annotated[Integer, Field(ge=1, le=10**12)]


def _names_its_provider(value: str) -> str:
    try:
        parse_model(value)
    except InvalidRequest as error:
        raise ValueError(error.message) from None
    return value


_ModelKey = Annotated[
    str,
    StringConstraints(min_length=3, max_length=200, pattern=r"^[^:/\x00-\x1f]+[:/][^\x00-\x1f]+$"),
    AfterValidator(_names_its_provider),
]


class PriceCreate(BaseModel):
    """A model's price, which replaces any other it has."""

    model_config = examples(
        {
            "model_key": "openai:gpt-4o-mini",
            "input_price_per_million": 0.15,
            "output_price_per_million": 0.6,
            "cached_input_price_per_million": 0.075,
            "context_window_tokens": 128000,
            "max_output_tokens": 16384,
        }
    )

    model_key: _ModelKey = Field(
        description="`provider:model`; `provider/model` is stored as `provider:model`."
    )
    input_price_per_million: RateUsd = Field(description="US dollars a million input tokens.")
    output_price_per_million: RateUsd = Field(description="US dollars a million output tokens.")
    cached_input_price_per_million: RateUsd | None = Field(
        None, description="For input read from the provider's cache; null: as other input."
    )
    context_window_tokens: _TokenCount | None = Field(
        None, description="The most input the model takes; bounds what a request can cost."
    )
    max_output_tokens: _TokenCount | None = Field(
        None, description="The longest answer; bounds a request that does not limit its own."
    )

    def request(self) -> PriceRequest:
        return PriceRequest(
            model_key=self.model_key,
            input_usd_per_million=self.input_price_per_million,
            output_usd_per_million=self.output_price_per_million,
            cached_input_usd_per_million=self.cached_input_price_per_million,
            context_window_tokens=self.context_window_tokens,
            max_output_tokens=self.max_output_tokens,
        )


class PriceAnswer(BaseModel):
    """A model's price."""

    model_config = examples(
        {
            "model_key": "openai:gpt-4o-mini",
            "input_price_per_million": 0.15,
            "output_price_per_million": 0.6,
            "cached_input_price_per_million": 0.075,
            "context_window_tokens": 128000,
            "max_output_tokens": 16384,
            "created_at": "2025-12-01T08:30:00Z",
            "updated_at": "2025-12-01T08:30:00Z",
        }
    )

    model_key: str
    input_price_per_million: Usd
    output_price_per_million: Usd
    cached_input_price_per_million: Usd | None
    context_window_tokens: int | None
    max_output_tokens: int | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, price: Price) -> Self:
        return cls(
            model_key=price.model_key,
            input_price_per_million=price.input_usd_per_million,
            output_price_per_million=price.output_usd_per_million,
            cached_input_price_per_million=price.cached_input_usd_per_million,
            context_window_tokens=price.context_window_tokens,
            max_output_tokens=price.max_output_tokens,
            created_at=price.created_at,
            updated_at=price.updated_at,
        )
