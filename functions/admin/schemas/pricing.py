from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from bursar.domain.errors import InvalidRequest
from bursar.domain.models import parse_model
from bursar.domain.money import ZERO
from bursar.domain.price_history import PriceStatement
from bursar.domain.price_rates import Rates, RateTable, RateTier, Unit
from bursar.domain.pricing import Price
from bursar.services.admin_prices import EffectivePrice, PriceRequest
from bursar.services.price_lookup import PriceSource
from functions.admin.schemas.examples import examples
from functions.admin.schemas.fields import Instant, Integer, RateUsd, Usd

_TokenCount = Annotated[Integer, Field(ge=1, le=10**12)]
_Threshold = Annotated[Integer, Field(ge=0, le=10**12)]
_BY_NAME = frozenset({Unit.INPUT, Unit.OUTPUT, Unit.CACHED_INPUT})
_RATES = (
    "US dollars by unit: a million tokens for `cache_write`, `cache_write_1h`, `input_audio`, "
    "`cached_audio`, `output_audio`, `input_image`, `output_image` and `reasoning`, a million for "
    "`character`, a thousand for `web_search`, `rerank_search` and `request`, an hour for `audio`, "
    "one for `image`."
)


def _names_its_provider(value: str) -> str:
    if value.endswith("/history"):
        raise ValueError("A model whose name ends with '/history' cannot be addressed")
    try:
        parse_model(value)
    except InvalidRequest as error:
        raise ValueError(error.message) from None
    return value


def _of_other_units(rates: dict[Unit, RateUsd]) -> dict[Unit, RateUsd]:
    named = sorted(_BY_NAME & rates.keys())
    if named:
        raise ValueError(f"'{named[0]}' has a field of its own: '{named[0]}_price_per_million'")
    return rates


_ModelKey = Annotated[
    str,
    StringConstraints(min_length=3, max_length=200, pattern=r"^[^:/\x00-\x1f]+[:/][^\x00-\x1f]+$"),
    AfterValidator(_names_its_provider),
]
_Rates = Annotated[dict[Unit, RateUsd], Field(description=_RATES)]
_TierName = Annotated[
    str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z0-9_.-]+$")
]


class TierCreate(BaseModel):
    """Rates of requests with more input; they apply to the whole request."""

    model_config = examples({"above_input_tokens": 200000, "rates": {"input": "5", "output": "20"}})

    above_input_tokens: _Threshold
    rates: dict[Unit, RateUsd] = Field(
        description="What differs from the rates below it: as above, and `input`, `cached_input` "
        "and `output`."
    )

    def tier(self) -> RateTier:
        return RateTier(self.above_input_tokens, self.rates)


class ServiceTierCreate(BaseModel):
    """What a service tier changes."""

    model_config = examples({"rates": {"input": "2.5", "output": "20"}})

    rates: dict[Unit, RateUsd] = Field(default_factory=dict)
    tiers: tuple[TierCreate, ...] = Field((), max_length=20)

    def table(self) -> RateTable:
        return RateTable(self.rates, tuple(tier.tier() for tier in self.tiers))


class PriceCreate(BaseModel):
    """A model's price, which replaces any other it has from then on."""

    model_config = examples(
        {
            "model_key": "openai:gpt-4o-mini",
            "input_price_per_million": 0.15,
            "output_price_per_million": 0.6,
            "cached_input_price_per_million": 0.075,
            "context_window_tokens": 128000,
            "max_output_tokens": 16384,
        },
        {
            "model_key": "anthropic:claude-sonnet-*",
            "input_price_per_million": "2.7",
            "output_price_per_million": "13.5",
            "cached_input_price_per_million": "0.27",
            "rates": {"cache_write": "3.375", "cache_write_1h": "5.4", "web_search": "10"},
            "tiers": [{"above_input_tokens": 200000, "rates": {"input": "5.4", "output": "20.25"}}],
            "service_tiers": {"batch": {"rates": {"input": "1.35", "output": "6.75"}}},
            "effective_from": "2027-01-01T00:00:00Z",
        },
    )

    model_key: _ModelKey = Field(
        description="`provider:model`; `provider/model` is stored as `provider:model`. `*` and `?` "
        "stand for anything; a model's own price comes first, then the pattern with the most "
        "other characters, then the catalogue."
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
    rates: Annotated[_Rates, AfterValidator(_of_other_units)] = Field(default_factory=dict)
    tiers: tuple[TierCreate, ...] = Field((), max_length=20)
    service_tiers: dict[_TierName, ServiceTierCreate] = Field(
        default_factory=dict,
        description="By the provider's name of it, as in `priority` and `flex`; and `batch`.",
    )
    effective_from: Instant | None = Field(
        None, description="When it begins to apply; null: at once. Not in the past."
    )

    def request(self) -> PriceRequest:
        return PriceRequest(
            model_key=self.model_key,
            input_usd_per_million=self.input_price_per_million,
            output_usd_per_million=self.output_price_per_million,
            cached_input_usd_per_million=self.cached_input_price_per_million,
            context_window_tokens=self.context_window_tokens,
            max_output_tokens=self.max_output_tokens,
            rates=self.rates,
            tiers=tuple(tier.tier() for tier in self.tiers),
            service_tiers={name: each.table() for name, each in self.service_tiers.items()},
            effective_from=self.effective_from,
        )


class TierAnswer(BaseModel):
    above_input_tokens: int
    rates: dict[str, Usd]


class ServiceTierAnswer(BaseModel):
    rates: dict[str, Usd]
    tiers: list[TierAnswer]


class PriceAnswer(BaseModel):
    """A model's price as an administrator set it."""

    model_config = examples(
        {
            "model_key": "openai:gpt-4o-mini",
            "input_price_per_million": 0.15,
            "output_price_per_million": 0.6,
            "cached_input_price_per_million": 0.075,
            "context_window_tokens": 128000,
            "max_output_tokens": 16384,
            "rates": {},
            "tiers": [],
            "service_tiers": {"batch": {"rates": {"input": 0.075, "output": 0.3}, "tiers": []}},
            "effective_from": "2025-12-01T08:30:00Z",
            "upcoming": [],
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
    rates: dict[str, Usd] = Field(description=_RATES)
    tiers: list[TierAnswer]
    service_tiers: dict[str, ServiceTierAnswer]
    effective_from: Instant | None = Field(description="Null: it has applied from the beginning.")
    upcoming: list["PriceAnswer"] = Field(description="What replaces it later.")
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, price: Price) -> Self:
        return cls(
            model_key=price.model_key,
            input_price_per_million=price.input_usd_per_million or ZERO,
            output_price_per_million=price.output_usd_per_million or ZERO,
            **_further(price),
        )


class FoundPriceAnswer(PriceAnswer):
    """A price that applies, an administrator's or the catalogue's."""

    input_price_per_million: Usd | None = Field(  # type: ignore[assignment]  # only read
        description="Null where input tokens are not what is billed."
    )
    output_price_per_million: Usd | None  # type: ignore[assignment]  # only read

    @classmethod
    def of(cls, price: Price) -> Self:
        return cls(
            model_key=price.model_key,
            input_price_per_million=price.input_usd_per_million,
            output_price_per_million=price.output_usd_per_million,
            **_further(price),
        )


class PriceStatementAnswer(BaseModel):
    """One statement of a price's history."""

    stated_at: Instant
    price: PriceAnswer | None = Field(description="Null where the price was removed.")

    @classmethod
    def of(cls, statement: PriceStatement) -> Self:
        price = None if statement.price is None else PriceAnswer.of(statement.price)
        return cls(stated_at=statement.stated_at, price=price)


class EffectivePriceAnswer(BaseModel):
    """What a request for a model would be charged by now."""

    model_config = examples(
        {
            "model": "openai:gpt-0",
            "source": None,
            "version": None,
            "price": None,
            "catalogue_date": "2026-11-25",
            "reason": "no price is set, and the catalogue does not know 'gpt-0' of 'openai'",
        }
    )

    model: str
    source: PriceSource | None = Field(
        description="`override`: set for this model, `pattern`: set for several, `catalogue`: "
        "public. Null: none, so requests are refused with 402 unless unpriced models are allowed."
    )
    version: str | None = Field(description="As usage records keep it.")
    price: FoundPriceAnswer | None
    catalogue_date: str | None = Field(
        description="The day of the catalogue in use; null where none is."
    )
    reason: str | None = Field(description="Why there is no price.")

    @classmethod
    def of(cls, effective: EffectivePrice) -> Self:
        found = effective.found
        return cls(
            model=str(effective.name),
            source=None if found is None else found.source,
            version=None if found is None else found.price.version,
            price=None if found is None else FoundPriceAnswer.of(found.price),
            catalogue_date=effective.catalogue_date,
            reason=effective.why_none,
        )


def _further(price: Price) -> dict[str, Any]:
    return {
        "cached_input_price_per_million": price.cached_input_usd_per_million,
        "context_window_tokens": price.context_window_tokens,
        "max_output_tokens": price.max_output_tokens,
        "rates": _shown(price.rates),
        "tiers": _tiers(price.tiers),
        "service_tiers": _service_tiers(price.service_tiers),
        "effective_from": price.effective_from,
        "upcoming": [PriceAnswer.of(later) for later in price.upcoming],
        "created_at": price.created_at,
        "updated_at": price.updated_at,
    }


def _shown(rates: Rates) -> dict[str, Usd]:
    return {str(unit): rate for unit, rate in rates.items()}


def _tiers(tiers: tuple[RateTier, ...]) -> list[TierAnswer]:
    return [
        TierAnswer(above_input_tokens=tier.above_input_tokens, rates=_shown(tier.rates))
        for tier in tiers
    ]


def _service_tiers(tiers: Mapping[str, RateTable]) -> dict[str, ServiceTierAnswer]:
    return {
        name: ServiceTierAnswer(rates=_shown(table.rates), tiers=_tiers(table.tiers))
        for name, table in tiers.items()
    }
