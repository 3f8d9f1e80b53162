"""What a request costs, and the most that it can cost.

`quote` is an upper bound made before a request, `cost_of` the exact price made after it. Both use
the same price row and round once, upwards, so a quote covers the cost of any usage within its
bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from bursar.domain.money import ZERO, exactly, price_of, round_up
from bursar.domain.price_bounds import check_priced, fixed_most, output_rate_most
from bursar.domain.price_rates import UNITS_PER_RATE, Rates, RateTable, RateTier, Unit, rate_of
from bursar.domain.price_shares import shares_of
from bursar.domain.price_tiers import charged_tables, possible_tables

if TYPE_CHECKING:
    from bursar.domain.usage import TokenUsage

_MILLION = Decimal(1_000_000)
_ASKED_FOR = {
    Unit.IMAGE: "images",
    Unit.CHARACTER: "input_characters",
    Unit.AUDIO: "audio_seconds",
    Unit.RERANK_SEARCH: "rerank_searches",
}


@dataclass(frozen=True)
class Price:
    """A model's rates, and the limits that its provider states.

    It serves many requests, so what follows from its fields is found out once.

    Attributes:
        model_key: `provider:model`; `*` and `?` stand for anything in an administrator's pattern.
        input_usd_per_million: None where input tokens are not what is billed; so with the output.
        cached_input_usd_per_million: for input read from the provider's cache; None means that
            it costs as much as other input.
        context_window_tokens: the most input the model takes, where known.
        max_output_tokens: the most it answers, where known.
        rates: of all other units that have one.
        tiers: rates of requests with more input.
        service_tiers: by name, the rates in which a tier differs from ordinary service; "batch" is
            one of them.
        audio_seconds_min: the shortest audio that is billed, where audio is billed by time.
        effective_from: when an administrator's price begins to apply, None for at once.
        upcoming: what replaces it later; each has its own `effective_from`.
        catalogue_date: the day of the catalogue that it is from, None for an administrator's.
        catalogue_key: what the catalogue calls a model that has several names.
    """

    model_key: str
    input_usd_per_million: Decimal | None
    output_usd_per_million: Decimal | None
    created_at: datetime
    updated_at: datetime
    cached_input_usd_per_million: Decimal | None = None
    context_window_tokens: int | None = None
    max_output_tokens: int | None = None
    rates: Rates = field(default_factory=dict)
    tiers: tuple[RateTier, ...] = ()
    service_tiers: Mapping[str, RateTable] = field(default_factory=dict)
    audio_seconds_min: int = 0
    effective_from: datetime | None = None
    upcoming: tuple[Price, ...] = ()
    catalogue_date: str | None = None
    catalogue_key: str | None = None

    @cached_property
    def table(self) -> RateTable:
        """The rates of ordinary service."""
        named = {
            Unit.INPUT: self.input_usd_per_million,
            Unit.OUTPUT: self.output_usd_per_million,
            Unit.CACHED_INPUT: self.cached_input_usd_per_million,
        }
        stated = {unit: rate for unit, rate in named.items() if rate is not None}
        return RateTable({**self.rates, **stated}, self.tiers)

    @cached_property
    def tier_tables(self) -> Mapping[str, RateTable]:
        """All rates of each service tier, those included in which it does not differ."""
        return {name: self.table.overlaid(own) for name, own in self.service_tiers.items()}

    @cached_property
    def is_free(self) -> bool:
        return self.table.is_free and all(tier.is_free for tier in self.service_tiers.values())

    @cached_property
    def caches_unasked(self) -> bool:
        """Whether the provider may write input to its cache, and bill that, without being asked.

        Anthropic's models write what a request marks; others that bill writes decide themselves.
        """
        bills_writes = Unit.CACHE_WRITE in self.rates or any(
            Unit.CACHE_WRITE in tier.rates for tier in self.tiers
        )
        return bills_writes and "claude" not in self.model_key.lower()

    @cached_property
    def version(self) -> str:
        """Which price this is, for the books: `openai:gpt-5@2026-11-20T00:00:00Z`."""
        if self.catalogue_date is not None:
            return f"{self.catalogue_key or self.model_key}@catalogue {self.catalogue_date}"
        since = self.effective_from or self.updated_at
        return f"{self.model_key}@{since:%Y-%m-%dT%H:%M:%SZ}"

    def at(self, now: datetime) -> Price | None:
        """What applies at a time: this price, one that has replaced it, or None before all."""
        began = [
            price
            for price in (self, *self.upcoming)
            if price.effective_from is None or price.effective_from <= now
        ]
        return began[-1] if began else None


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
        served_calls: calls of the provider's own tools.
        tokens_per_call: the part of the input that each of those adds.
        served_calls_min: the fewest that the gateway may limit them to; 0 where it cannot.
        imposes_calls: the request itself does not limit them.
        may_reason: the answer may have reasoning that nobody sees.
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
    served_calls: int = 0
    tokens_per_call: int = 0
    served_calls_min: int = 0
    imposes_calls: bool = False
    may_reason: bool = False

    @property
    def output_tokens_total(self) -> int:
        return self.output_tokens * self.answers + self.prediction_tokens

    def with_served_calls(self, calls: int) -> Bound:
        """The bound with fewer calls of the provider's own tools, each of which may be a search."""
        fewer = self.served_calls - calls
        return replace(
            self,
            served_calls=calls,
            input_tokens=self.input_tokens - fewer * self.tokens_per_call,
            web_searches=min(self.web_searches, calls),
        )


@dataclass(frozen=True, slots=True)
class Charge:
    """What usage costs.

    Attributes:
        rates: that were applied, each for as many units as `UNITS_PER_RATE` says.
    """

    cost_usd: Decimal
    rates: Rates


def quote(bound: Bound, price: Price) -> Decimal:
    """Price a bound at the dearest rates that can apply.

    Raises:
        Unpriceable: it contains something that the price has no rate for.
    """
    check_priced(bound, price)
    return _most(bound, price)


def affordable_output_tokens(bound: Bound, price: Price, left_usd: Decimal) -> int:
    """The longest answer that `left_usd` covers with the same input, at most the bound's own.

    Raises:
        Unpriceable: as `quote`.
    """
    check_priced(bound, price)
    with exactly():
        return min(
            _affordable(bound, price, rates, left_usd) for rates in _possible_rates(bound, price)
        )


def cost_of(usage: TokenUsage, price: Price, service_tier: str | None = None) -> Decimal:
    """Price what was used, in the tier that it was served in."""
    return charge_of(usage, price, service_tier).cost_usd


def charge_of(
    usage: TokenUsage, price: Price, requested: str | None = None, served: str | None = None
) -> Charge:
    """Price what was used, and tell at which rates.

    Args:
        requested: the service tier that was asked for.
        served: the one that the provider says it used; counts first, if the price knows it.
    """
    shares = shares_of(usage)
    if Unit.AUDIO in shares:
        shares[Unit.AUDIO] = max(shares[Unit.AUDIO], price.audio_seconds_min)
    length = max(usage.input_tokens, 0)
    tables = charged_tables(price, requested, served)
    charges = [_charge(shares, table.at(length)) for table in tables]
    return max(charges, key=lambda charge: charge.cost_usd)


def charge_of_unreported(
    bound: Bound, price: Price, output_bytes: int, served: str | None = None
) -> Decimal:
    """The most that a request can have cost whose provider told no usage.

    Args:
        output_bytes: length of all that was generated, which has no more tokens.
        served: the service tier that the provider says it used.
    """
    answered = min(output_bytes + bound.prediction_tokens, bound.output_tokens_total)
    seen = replace(bound, output_tokens=answered, answers=1, prediction_tokens=0)
    if served is not None and served.lower() in price.service_tiers:
        seen = replace(seen, service_tier=served)
    # The request was quoted, so all of it has a rate, of the tokens that never came as well.
    return _most(seen, price)


def told_apart(usage: TokenUsage, bound: Bound, price: Price) -> TokenUsage:
    """Usage with what the provider did not tell counted as the most that it may be.

    Audio that was sent is in the input, whether or not it was counted by itself. A model that
    makes pictures may have made nothing else, where the provider does not say. What is billed by
    the piece or the second is as much as was asked for.
    """
    units = price.table.units
    told = {
        name: getattr(bound, name)
        for unit, name in _ASKED_FOR.items()
        if unit in units and not getattr(usage, name)
    }
    if Unit.INPUT_AUDIO in units and not usage.input_audio_tokens:
        told["input_audio_tokens"] = min(bound.input_audio_tokens, usage.input_tokens)
    if Unit.OUTPUT_IMAGE in units and not usage.output_image_tokens:
        told["output_image_tokens"] = usage.output_tokens
    return replace(usage, **told) if told else usage


def _most(bound: Bound, price: Price) -> Decimal:
    with exactly():
        return round_up(
            max(
                fixed_most(bound, price, rates)
                + price_of(bound.output_tokens * bound.answers, output_rate_most(bound, rates))
                for rates in _possible_rates(bound, price)
            )
        )


def _possible_rates(bound: Bound, price: Price) -> list[Rates]:
    return [
        rates
        for table in possible_tables(price, bound.service_tier)
        for rates in table.reachable(bound.input_tokens)
    ]


def _affordable(bound: Bound, price: Price, rates: Rates, left_usd: Decimal) -> int:
    left_usd -= fixed_most(bound, price, rates)
    if left_usd < ZERO:
        return 0
    rate = output_rate_most(bound, rates)
    if not rate:
        return bound.output_tokens
    return min(int(left_usd * _MILLION // (rate * bound.answers)), bound.output_tokens)


def _charge(shares: Mapping[Unit, int], rates: Rates) -> Charge:
    applied = {unit: rate for unit in shares if (rate := rate_of(rates, unit))}
    with exactly():
        amounts = (
            price_of(shares[unit], rate, UNITS_PER_RATE[unit]) for unit, rate in applied.items()
        )
        return Charge(round_up(sum(amounts, ZERO)), applied)
