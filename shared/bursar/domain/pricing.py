"""What tokens cost, and the most that a request can cost.

`quote` is an upper bound made before a request, `cost_of` the exact price made after it. Both use
the same price row and round once, upwards, so a quote covers the cost of any usage within its
bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from bursar.domain.money import price_of, round_up

if TYPE_CHECKING:
    from bursar.domain.usage import TokenUsage

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Price:
    """A model's rates in US dollars a million tokens, and the limits its provider states.

    Attributes:
        model_key: `provider:model`.
        cached_input_usd_per_million: for input read from the provider's cache; None means that
            it costs as much as other input.
        context_window_tokens: the most input the model takes, where known.
        max_output_tokens: the most it answers, where known.
    """

    model_key: str
    input_usd_per_million: Decimal
    output_usd_per_million: Decimal
    created_at: datetime
    updated_at: datetime
    cached_input_usd_per_million: Decimal | None = None
    context_window_tokens: int | None = None
    max_output_tokens: int | None = None

    @property
    def is_free(self) -> bool:
        return not (self.input_usd_per_million or self.output_usd_per_million)

    @property
    def _input_usd_per_million_max(self) -> Decimal:
        return max(self.input_usd_per_million, self.cached_input_usd_per_million or Decimal(0))


@dataclass(frozen=True, slots=True)
class Bound:
    """The most a request can use.

    Attributes:
        input_tokens: an upper bound of everything the provider counts as input.
        output_tokens: of one answer.
        answers: how many answers were asked for (`n`).
        prediction_tokens: predicted output, billed as output whether it is accepted or not.
        input_audio_tokens: the part of the input that may be audio.
        input_image_tokens: the part of the input that may be images.
        writes_cache: input may be written to the provider's cache.
        writes_cache_1h: and be kept there for an hour.
        generates_audio: any part of the output may be audio.
        generates_images: any part of the output may be images.
        service_tier: the tier the request asks for, None for the provider's default.
        web_searches: searches of the web that the provider may make.
        images: pictures asked for, where a provider bills them by the piece.
        input_characters: characters to be spoken.
        audio_seconds: length of the audio to be transcribed, begun seconds.
        rerank_searches: rerank queries.
        takes_output_limit: whether the request has a field that can shorten the answer.
    """

    input_tokens: int
    output_tokens: int
    answers: int = 1
    prediction_tokens: int = 0
    input_audio_tokens: int = 0
    input_image_tokens: int = 0
    writes_cache: bool = False
    writes_cache_1h: bool = False
    generates_audio: bool = False
    generates_images: bool = False
    service_tier: str | None = None
    web_searches: int = 0
    images: int = 0
    input_characters: int = 0
    audio_seconds: int = 0
    rerank_searches: int = 0
    takes_output_limit: bool = True

    @property
    def output_tokens_total(self) -> int:
        return self.output_tokens * self.answers + self.prediction_tokens


def quote(bound: Bound, price: Price) -> Decimal:
    """Price a bound at the dearest rates that can apply."""
    return round_up(
        price_of(bound.input_tokens, price._input_usd_per_million_max)  # noqa: SLF001 (same module)
        + price_of(bound.output_tokens_total, price.output_usd_per_million)
    )


def affordable_output_tokens(bound: Bound, price: Price, left_usd: Decimal) -> int:
    """The longest answer that `left_usd` covers with the same input, at most the bound's own."""
    rate = price.output_usd_per_million
    fixed = price_of(bound.input_tokens, price._input_usd_per_million_max)  # noqa: SLF001
    fixed += price_of(bound.prediction_tokens, rate)
    if fixed > left_usd:
        return 0
    if not rate:
        return bound.output_tokens
    tokens = int((left_usd - fixed) * _MILLION / (rate * bound.answers))
    return min(tokens, bound.output_tokens)


def cost_of(usage: TokenUsage, price: Price) -> Decimal:
    """Price what was used."""
    cached_rate = price.cached_input_usd_per_million
    if cached_rate is None:
        cached_rate = price.input_usd_per_million
    cached = min(usage.cached_input_tokens, usage.input_tokens)
    return round_up(
        price_of(usage.input_tokens - cached, price.input_usd_per_million)
        + price_of(cached, cached_rate)
        + price_of(usage.output_tokens, price.output_usd_per_million)
    )
