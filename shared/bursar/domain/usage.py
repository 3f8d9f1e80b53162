"""Usage records: the books, one entry a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Status(StrEnum):
    """How a request ended. All but SUCCESS are `error` to a reader who knows only two."""

    SUCCESS = "success"
    ERROR = "error"
    DISCONNECTED = "disconnected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """What a provider counted, normalised: totals, and parts of them that may cost another rate.

    Attributes:
        input_tokens: all input, whether cached or not.
        output_tokens: all output, reasoning included.
        cached_input_tokens: the part of the input read from a cache.
        cache_write_tokens: the part of the input written to a cache.
        cache_write_1h_tokens: the part of that which the cache keeps for an hour.
        input_audio_tokens: the part of the input that is audio, cached or not.
        cached_audio_tokens: the part of `cached_input_tokens` that is audio.
        input_image_tokens: the part of the input that is images.
        output_audio_tokens: the part of the output that is audio.
        output_image_tokens: the part of the output that is images.
        reasoning_tokens: the part of the output that is reasoning.
        web_searches: searches of the web by the provider.
        images: pictures made, where a provider bills them by the piece.
        input_characters: characters of text, where a provider bills speech by them.
        audio_seconds: length of audio, begun seconds, where a provider bills it by time.
        rerank_searches: rerank queries, where a provider bills them by the query.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    input_audio_tokens: int = 0
    cached_audio_tokens: int = 0
    input_image_tokens: int = 0
    output_audio_tokens: int = 0
    output_image_tokens: int = 0
    reasoning_tokens: int = 0
    web_searches: int = 0
    images: int = 0
    input_characters: int = 0
    audio_seconds: int = 0
    rerank_searches: int = 0

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """One request in the books.

    Attributes:
        request_id: also tells when the request came.
        cost_usd: what the accounts were charged; None where the model had no price.
        is_estimated: the provider gave no usage, so tokens and cost are upper bounds.
        input_usd_per_million: the rate charged, kept because prices change; so with the output's.
        rates: all other rates that were charged, by unit.
        price_version: whose price it was and since when: `openai:gpt-5@catalogue 2026-11-20`.
        service_tier: the tier that was charged, None for ordinary service.
        upstream_request_id: the provider's own id for the call.
        project_id: whose vault's key was used; None where it was the deployment's.
        client_id: the project's client that it counted for.
        provider_key_id: the vault's key.
        lease_id: the lease it was reported under.
        covered_usd: the part of its price that an expired lease had been charged before, which
            `cost_usd` leaves out.
        tokens_per_second: output tokens by the time they took.
        reported_cost_usd: what the provider itself says that it charges, beside `cost_usd`.
        alias: what the caller asked for, if that was an alias.
        attempts: how often providers were asked; None for once, at the model that was asked for.
        route: why the model served, as in `fallback;after=openai:o3;because=upstream_429`; None
            for no other reason than that it was asked for.
    """

    request_id: str
    user_id: str
    created_at: datetime
    endpoint: str
    status: Status
    key_id: str | None = None
    provider: str | None = None
    model: str | None = None
    usage: TokenUsage | None = None
    cost_usd: Decimal | None = None
    is_estimated: bool = False
    is_streamed: bool = False
    error_message: str | None = None
    duration_ms: int | None = None
    first_token_ms: int | None = None
    input_usd_per_million: Decimal | None = None
    output_usd_per_million: Decimal | None = None
    upstream_request_id: str | None = None
    project_id: str | None = None
    client_id: str | None = None
    provider_key_id: str | None = None
    lease_id: str | None = None
    covered_usd: Decimal | None = None
    tokens_per_second: Decimal | None = None
    reported_cost_usd: Decimal | None = None
    alias: str | None = None
    attempts: int | None = None
    route: str | None = None
    rates: tuple[tuple[str, Decimal], ...] = ()
    price_version: str | None = None
    service_tier: str | None = None


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Which records to list; None does not narrow. Times include the start, exclude the end."""

    user_id: str | None = None
    key_id: str | None = None
    model: str | None = None
    provider: str | None = None
    status: Status | None = None
    start: datetime | None = None
    end: datetime | None = None
    client_id: str | None = None

    def accepts(self, record: UsageRecord) -> bool:
        """Decide over a record; `model` is the provider's name for it or `provider:model`."""
        full_name = f"{record.provider}:{record.model}"
        return all(
            (
                self.user_id in (None, record.user_id),
                self.key_id in (None, record.key_id),
                self.provider in (None, record.provider),
                self.model in (None, record.model, full_name),
                self.status in (None, record.status),
                self.client_id in (None, record.client_id),
                self.start is None or record.created_at >= self.start,
                self.end is None or record.created_at < self.end,
            )
        )


@dataclass(frozen=True, slots=True)
class UsagePage:
    """Records, newest first, and where the next page begins."""

    records: tuple[UsageRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ResetRecord:
    """A period that ended: what was spent in it and when the next one ends."""

    budget_id: str
    subject: str
    period_start: datetime
    reset_at: datetime
    next_reset_at: datetime | None
    previous_spend_usd: Decimal
