from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, WithJsonSchema

from bursar.domain.usage import Status, TokenUsage, UsagePage, UsageRecord
from functions.admin.schemas.examples import examples
from functions.admin.schemas.fields import Instant, Usd

_TOTALS = frozenset({"input_tokens", "output_tokens", "cached_input_tokens"})
_Rate = Annotated[Decimal, WithJsonSchema({"type": "number"})]


class UsageAnswer(BaseModel):
    """One request in the books."""

    model_config = examples(
        {
            "id": "019b7c5e-6f00-7c3a-8a1e-2f4f6b9d1c55",
            "user_id": "alice",
            "api_key_id": "0b8f9d5e-6a43-4c0e-9f0b-3c1b0a6f4b53",
            "timestamp": "2026-01-31T12:00:00Z",
            "model": "gpt-4o-mini",
            "provider": "openai",
            "endpoint": "/v1/chat/completions",
            "prompt_tokens": 1200,
            "completion_tokens": 300,
            "total_tokens": 1500,
            "cached_tokens": 1024,
            "token_details": {"reasoning_tokens": 128},
            "cost": 0.0002832,
            "reported_cost": None,
            "rates": {"input": 0.15, "output": 0.6, "cached_input": 0.075},
            "price_version": "openai:gpt-4o-mini@catalogue 2026-11-25",
            "service_tier": None,
            "status": "success",
            "outcome": "success",
            "error_message": None,
            "estimated": False,
            "streamed": True,
            "duration_ms": 2310,
            "first_token_ms": 420,
            "upstream_request_id": "req_9f2c",
            "project_id": None,
            "client_id": None,
            "provider_key_id": None,
            "lease_id": None,
            "tokens_per_second": 158.7,
            "alias": "fast",
            "attempts": 2,
            "route": "fallback;after=groq:llama-3.3-70b-versatile;because=upstream_429",
        }
    )

    id: str = Field(description="The request's id, also its `x-request-id`.")
    user_id: str
    api_key_id: str | None = Field(
        description="The key used, also after it was deleted; null for the master key."
    )
    timestamp: Instant
    model: str | None
    provider: str | None
    endpoint: str
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    cached_tokens: int | None = Field(description="The part of the prompt read from a cache.")
    token_details: dict[str, int] = Field(
        description="Parts of the tokens that may cost another rate, and pieces; those that are "
        "not zero, as in `cache_write_tokens`, `reasoning_tokens` and `web_searches`."
    )
    cost: Usd | None = Field(description="US dollars; null where the model had no price.")
    reported_cost: Usd | None = Field(description="What the provider itself says that it charges.")
    rates: dict[str, Usd] = Field(
        description="The rates that were charged, by unit as in `/v1/pricing`."
    )
    price_version: str | None = Field(description="Whose price it was, and since when.")
    service_tier: str | None = Field(
        description="The tier whose rates were charged; null for ordinary service."
    )
    status: Literal["success", "error"]
    outcome: Status = Field(
        description="How the request ended: `disconnected` if the client left, `expired` if the "
        "gateway never saw its end. All but `success` have the status `error`."
    )
    error_message: str | None
    estimated: bool = Field(description="The provider gave no usage; tokens are upper bounds.")
    streamed: bool
    duration_ms: int | None
    first_token_ms: int | None
    upstream_request_id: str | None
    project_id: str | None = Field(description="Whose vault's key was used, or whose client told.")
    client_id: str | None = Field(description="The project's client that it counted for.")
    provider_key_id: str | None = Field(description="The vault's key.")
    lease_id: str | None = Field(description="The lease that it was reported under.")
    tokens_per_second: _Rate | None = Field(description="Output tokens by the time they took.")
    alias: str | None = Field(description="What was asked for, if that was an alias.")
    attempts: int | None = Field(
        description="How often providers were asked; null for once, at the model asked for."
    )
    route: str | None = Field(
        description="Why the model served, as in the answer's `x-bursar-route`; null for no other "
        "reason than that it was asked for."
    )

    @classmethod
    def of(cls, record: UsageRecord) -> Self:
        tokens = record.usage
        return cls(
            id=record.request_id,
            user_id=record.user_id,
            api_key_id=record.key_id,
            timestamp=record.created_at,
            model=record.model,
            provider=record.provider,
            endpoint=record.endpoint,
            token_details=_token_details(tokens),
            cost=record.cost_usd,
            reported_cost=record.reported_cost_usd,
            rates=_rates(record),
            price_version=record.price_version,
            service_tier=record.service_tier,
            status="success" if record.status is Status.SUCCESS else "error",
            outcome=record.status,
            error_message=record.error_message,
            estimated=record.is_estimated,
            streamed=record.is_streamed,
            duration_ms=record.duration_ms,
            first_token_ms=record.first_token_ms,
            upstream_request_id=record.upstream_request_id,
            project_id=record.project_id,
            client_id=record.client_id,
            provider_key_id=record.provider_key_id,
            lease_id=record.lease_id,
            tokens_per_second=record.tokens_per_second,
            alias=record.alias,
            attempts=record.attempts,
            route=record.route,
            **_token_counts(tokens),
        )


class UsagePageAnswer(BaseModel):
    """Usage, newest first."""

    data: list[UsageAnswer]
    next_cursor: str | None = Field(description="Pass as `cursor` for the next page.")

    @classmethod
    def of(cls, page: UsagePage) -> Self:
        return cls(
            data=[UsageAnswer.of(record) for record in page.records],
            next_cursor=page.next_cursor,
        )


def _token_details(usage: TokenUsage | None) -> dict[str, int]:
    if usage is None:
        return {}
    return {name: count for name, count in asdict(usage).items() if count and name not in _TOTALS}


def _rates(record: UsageRecord) -> dict[str, Decimal]:
    """All rates charged, those that the record keeps by name first."""
    named = {"input": record.input_usd_per_million, "output": record.output_usd_per_million}
    stated = {unit: rate for unit, rate in named.items() if rate is not None}
    return {**stated, **dict(record.rates)}


def _token_counts(usage: TokenUsage | None) -> dict[str, int | None]:
    return {
        "prompt_tokens": None if usage is None else usage.input_tokens,
        "completion_tokens": None if usage is None else usage.output_tokens,
        "total_tokens": None if usage is None else usage.total_tokens,
        "cached_tokens": None if usage is None else usage.cached_input_tokens,
    }
