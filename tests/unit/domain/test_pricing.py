"""Quotes, costs and the promise between them: no usage within a bound costs more than its quote."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.domain.errors import Unpriceable
from bursar.domain.money import QUANTUM_USD
from bursar.domain.price_rates import RateTable, RateTier, Unit
from bursar.domain.pricing import (
    Bound,
    Price,
    affordable_output_tokens,
    charge_of,
    charge_of_unreported,
    cost_of,
    quote,
    told_apart,
)
from bursar.domain.usage import TokenUsage

_NOW = datetime(2026, 11, 25, tzinfo=UTC)
MILLION = 1_000_000
D = Decimal

rates = st.decimals("0", "1000", places=6)
counts = st.integers(0, 2 * MILLION)
hostile = st.sampled_from([0, 3 * MILLION]) | st.integers(-5, 3 * MILLION)
pieces = st.just(0) | st.integers(0, 500)


def a_price(rate_in: str | None = "1", rate_out: str | None = "2", **fields: object) -> Price:
    return Price(
        "openai:m",
        None if rate_in is None else D(rate_in),
        None if rate_out is None else D(rate_out),
        _NOW,
        _NOW,
        **fields,  # type: ignore[arg-type]
    )


def tables(units: list[Unit]) -> st.SearchStrategy[RateTable]:
    some = st.dictionaries(st.sampled_from(units), rates, max_size=len(units))
    tier = st.builds(RateTier, st.integers(0, MILLION), some)
    return st.builds(RateTable, some, st.lists(tier, max_size=3).map(tuple))


EVERY = list(Unit)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    """Any row, however odd: cached input dearer than plain, tiers that get cheaper."""
    every = st.fixed_dictionaries(dict.fromkeys(EVERY, rates))
    some = st.fixed_dictionaries({}, optional=dict.fromkeys(EVERY, rates))
    named = {Unit.INPUT, Unit.OUTPUT, Unit.CACHED_INPUT}
    own = draw(every | some)
    return Price(
        draw(st.sampled_from(["openai:gpt", "anthropic:claude"])),
        own.get(Unit.INPUT),
        own.get(Unit.OUTPUT),
        _NOW,
        _NOW,
        cached_input_usd_per_million=own.get(Unit.CACHED_INPUT),
        rates={unit: rate for unit, rate in own.items() if unit not in named},
        tiers=draw(tables(EVERY)).tiers,
        service_tiers=draw(
            st.dictionaries(st.sampled_from(["priority", "flex", "batch"]), tables(EVERY))
        ),
        audio_seconds_min=draw(st.sampled_from([0, 10])),
    )


@st.composite
def bounds(draw: st.DrawFn) -> Bound:
    tokens = draw(counts)
    return Bound(
        tokens,
        draw(counts),
        answers=draw(st.integers(1, 4)),
        prediction_tokens=draw(st.integers(0, 1000)),
        input_audio_tokens=draw(st.integers(0, tokens)),
        input_image_tokens=draw(st.integers(0, tokens)),
        writes_cache=draw(st.booleans()),
        writes_cache_1h=draw(st.booleans()),
        generates_audio=draw(st.booleans()),
        generates_images=draw(st.booleans()),
        service_tier=draw(st.sampled_from([None, "default", "auto", "flex", "priority", "turbo"])),
        web_searches=draw(pieces),
        images=draw(pieces),
        input_characters=draw(pieces),
        audio_seconds=draw(pieces),
        rerank_searches=draw(pieces),
    )


@st.composite
def usages_within(draw: st.DrawFn, bound: Bound, price: Price) -> TokenUsage:
    """What a provider may report within a bound; its parts may contradict each other."""

    def up_to(most: int) -> int:
        return draw(st.just(most) | st.integers(-5, most))

    writes = bound.writes_cache or bound.writes_cache_1h or price.caches_unasked
    return TokenUsage(
        input_tokens=up_to(bound.input_tokens),
        output_tokens=up_to(bound.output_tokens_total),
        cached_input_tokens=draw(hostile),
        cache_write_tokens=draw(hostile) if writes else 0,
        cache_write_1h_tokens=draw(hostile) if bound.writes_cache_1h else 0,
        input_audio_tokens=up_to(bound.input_audio_tokens),
        cached_audio_tokens=draw(hostile),
        input_image_tokens=up_to(bound.input_image_tokens),
        output_audio_tokens=draw(hostile) if bound.generates_audio else 0,
        output_image_tokens=draw(hostile) if Unit.OUTPUT_IMAGE in price.table.units else 0,
        reasoning_tokens=draw(hostile),
        web_searches=up_to(bound.web_searches),
        images=up_to(bound.images),
        input_characters=up_to(bound.input_characters),
        audio_seconds=up_to(bound.audio_seconds),
        rerank_searches=up_to(bound.rerank_searches),
    )


@settings(max_examples=250, deadline=None)
@given(prices(), bounds(), st.data())
def test_no_usage_within_a_bound_costs_more_than_its_quote(
    price: Price, bound: Bound, data: st.DataObject
) -> None:
    try:
        most = quote(bound, price)
    except Unpriceable:
        return
    usage = data.draw(usages_within(bound, price))
    served = data.draw(st.sampled_from([None, "default", "standard", "nonsense"]))
    if bound.service_tier in {"auto", "turbo"}:
        served = data.draw(st.sampled_from([served, "priority", "flex", "batch"]))
    usage = data.draw(st.sampled_from([usage, told_apart(usage, bound, price)]))

    assert charge_of(usage, price, bound.service_tier, served).cost_usd <= most


@settings(max_examples=120, deadline=None)
@given(prices(), bounds(), st.decimals("0", "500", places=9))
def test_what_is_affordable_fits_and_one_token_more_does_not(
    price: Price, bound: Bound, left: Decimal
) -> None:
    try:
        tokens = affordable_output_tokens(bound, price, left)
    except Unpriceable:
        return
    assert 0 <= tokens <= bound.output_tokens
    if tokens:
        assert quote(replace(bound, output_tokens=tokens), price) <= left
    if 0 < tokens < bound.output_tokens:
        assert quote(replace(bound, output_tokens=tokens + 1), price) > left


@settings(max_examples=120, deadline=None)
@given(prices(), bounds(), st.integers(0, 3 * MILLION))
def test_what_was_not_reported_is_charged_up_to_what_was_seen_and_never_beyond_the_quote(
    price: Price, bound: Bound, output_bytes: int
) -> None:
    try:
        most = quote(bound, price)
    except Unpriceable:
        return
    charged = charge_of_unreported(bound, price, output_bytes)
    assert charged <= most
    seen = TokenUsage(bound.input_tokens, min(output_bytes, bound.output_tokens_total))
    assert charge_of(seen, price, bound.service_tier).cost_usd <= charged


def test_each_part_of_the_input_is_charged_once_and_at_its_own_rate() -> None:
    price = a_price(
        "10",
        "20",
        cached_input_usd_per_million=D(1),
        rates={
            Unit.CACHE_WRITE: D(12),
            Unit.CACHE_WRITE_1H: D(16),
            Unit.INPUT_AUDIO: D(40),
            Unit.CACHED_AUDIO: D(4),
        },
    )
    usage = TokenUsage(
        input_tokens=1_000_000,
        cached_input_tokens=300_000,
        cache_write_tokens=200_000,
        cache_write_1h_tokens=50_000,
        input_audio_tokens=250_000,
        cached_audio_tokens=100_000,
    )
    charge = charge_of(usage, price)
    # 50k x 16 + 150k x 12 + 150k x 40 + 100k x 4 + 200k x 1 + 350k x 10
    assert charge.cost_usd == D("0.8") + D("1.8") + 6 + D("0.4") + D("0.2") + D("3.5")
    assert charge.rates[Unit.CACHE_WRITE_1H] == 16


def test_parts_without_rates_of_their_own_cost_what_the_whole_does() -> None:
    usage = TokenUsage(100, 100, 40, 30, 20, 10, 5, 10, 10, 10, 50)
    assert cost_of(usage, a_price("3", "15")) == D("0.0018")


def test_reasoning_has_its_own_rate_where_the_price_says_so() -> None:
    price = a_price("0", "8", rates={Unit.REASONING: D(3)})
    assert cost_of(TokenUsage(0, MILLION, reasoning_tokens=400_000), price) == D("6")


@pytest.mark.parametrize(("tokens", "usd"), [(200_000, "0.2"), (200_001, "0.400002")])
def test_a_longer_input_pays_its_tiers_rate_for_every_token(tokens: int, usd: str) -> None:
    price = a_price(tiers=(RateTier(200_000, {Unit.INPUT: D(2)}),))
    assert cost_of(TokenUsage(tokens), price) == D(usd)


def test_a_tier_says_only_what_it_changes() -> None:
    price = a_price(
        tiers=(
            RateTier(200, {Unit.INPUT: D(4)}),
            RateTier(100, {Unit.INPUT: D(2), Unit.OUTPUT: D(3)}),
        )
    )
    assert charge_of(TokenUsage(201, 1), price).rates == {Unit.INPUT: 4, Unit.OUTPUT: 3}


def test_a_bound_that_can_reach_a_tier_is_quoted_at_it() -> None:
    price = a_price(tiers=(RateTier(200_000, {Unit.OUTPUT: D(100)}),))
    assert quote(Bound(200_000, 10_000), price) == D("0.22")
    assert quote(Bound(200_001, 10_000), price) == D("1.200001")


def test_a_cheaper_tier_does_not_lower_a_quote() -> None:
    price = a_price(tiers=(RateTier(100, {Unit.OUTPUT: D(0)}),))
    assert quote(Bound(1_000, MILLION), price) == D("2.001")


def test_a_bound_that_may_write_caches_is_quoted_at_the_write_rate() -> None:
    price = replace(
        a_price(rates={Unit.CACHE_WRITE: D(5), Unit.CACHE_WRITE_1H: D(8)}),
        model_key="anthropic:claude-x",
    )
    bound = Bound(MILLION, 0)
    assert quote(bound, price) == 1
    assert quote(replace(bound, writes_cache=True), price) == 5
    assert quote(replace(bound, writes_cache_1h=True), price) == 8


def test_a_bound_with_audio_and_images_is_quoted_at_what_they_cost_beyond_text() -> None:
    every = {
        Unit.INPUT_AUDIO: D(10),
        Unit.CACHED_AUDIO: D(11),
        Unit.INPUT_IMAGE: D(5),
        Unit.OUTPUT_AUDIO: D(64),
    }
    bound = Bound(10_000, 1_000, input_audio_tokens=2_000, input_image_tokens=3_000)
    # 10k x 1 + 2k x 10 + 3k x 4, and the answer
    assert quote(bound, a_price(rates=every)) == D("0.042") + D("0.002")
    spoken = replace(bound, generates_audio=True)
    assert quote(spoken, a_price(rates=every)) == D("0.042") + D("0.064")


def test_a_provider_that_caches_by_itself_is_quoted_at_the_write_rate_always() -> None:
    assert quote(Bound(MILLION, 0), a_price(rates={Unit.CACHE_WRITE: D(5)})) == 5


PRIORITY = {"priority": RateTable({Unit.INPUT: D(2)}), "flex": RateTable({Unit.INPUT: D("0.5")})}


@pytest.mark.parametrize(
    ("tier", "usd"),
    [(None, 1), ("default", 1), ("priority", 2), ("flex", 1), ("auto", 2), ("what", 2)],
)
def test_a_service_tier_is_quoted_at_the_dearest_that_it_may_become(
    tier: str | None, usd: int
) -> None:
    price = a_price(service_tiers=PRIORITY)
    assert quote(Bound(MILLION, 0, service_tier=tier), price) == usd


@pytest.mark.parametrize(
    ("requested", "served", "usd"),
    [
        (None, None, "1"),
        (None, "priority", "2"),
        ("priority", None, "2"),
        ("priority", "default", "1"),
        ("auto", "FLEX", "0.5"),
        ("auto", None, "2"),
        ("priority", "something-new", "2"),
        (None, "something-new", "1"),
    ],
)
def test_the_tier_that_served_is_the_one_that_is_charged(
    requested: str | None, served: str | None, usd: str
) -> None:
    price = a_price(service_tiers=PRIORITY)
    assert charge_of(TokenUsage(MILLION), price, requested, served).cost_usd == D(usd)


def test_a_service_tiers_rate_has_no_tiers_unless_it_names_them() -> None:
    price = a_price(
        tiers=(RateTier(100, {Unit.INPUT: D(4), Unit.OUTPUT: D(9)}),), service_tiers=PRIORITY
    )
    assert charge_of(TokenUsage(101, 1), price, "priority").rates == {Unit.INPUT: 2, Unit.OUTPUT: 9}


def test_a_surcharged_tier_without_rates_is_refused() -> None:
    with pytest.raises(Unpriceable, match="Service tier 'priority' of 'openai:m' has no rates"):
        quote(Bound(1, 1, service_tier="priority"), a_price())


@pytest.mark.parametrize(
    ("bound", "what"),
    [
        (Bound(10, 1, input_audio_tokens=5), "audio input"),
        (Bound(10, 1, generates_audio=True), "audio output"),
        (Bound(10, 1, generates_images=True), "image output"),
        (Bound(10, 1, web_searches=1), "web searches"),
        (Bound(0, 0, images=1), "images"),
        (Bound(0, 0, input_characters=1), "characters of speech"),
        (Bound(10, 1, audio_seconds=1), "seconds of audio"),
        (Bound(0, 0, rerank_searches=1), "rerank searches"),
    ],
)
def test_what_has_no_rate_is_refused_by_name(bound: Bound, what: str) -> None:
    with pytest.raises(Unpriceable, match=f"'openai:m' has no rate for {what}. .* /v1/pricing"):
        quote(bound, a_price())


def test_the_refusal_names_the_command_that_sets_the_rate() -> None:
    with pytest.raises(Unpriceable) as refused:
        quote(Bound(10, 1, web_searches=1), replace(a_price(), model_key="openai:gpt-*"))
    assert str(refused.value) == (
        "The price of 'openai:gpt-*' has no rate for web searches. An administrator sets one by "
        "bursar prices set 'openai:gpt-*' --in USD --out USD --rate web_search=USD, in dollars for "
        "a thousand and with the rates that it has (bursar prices effective 'openai:gpt-*'); or at "
        "/v1/pricing"
    )


def test_tokens_are_refused_where_they_are_not_what_is_billed() -> None:
    by_page = a_price(None, None, rates={Unit.WEB_SEARCH: D(1)})
    with pytest.raises(Unpriceable, match="no rate for input tokens"):
        quote(Bound(10, 0), by_page)
    with pytest.raises(Unpriceable, match="no rate for output tokens"):
        quote(Bound(10, 10), a_price("1", None))


def test_one_measure_of_a_transcription_is_enough() -> None:
    by_the_hour = a_price(None, None, rates={Unit.AUDIO: D("0.36")}, audio_seconds_min=10)
    bound = Bound(5_000, 1_000, input_audio_tokens=5_000, audio_seconds=60)
    assert quote(bound, by_the_hour) == D("0.006")
    assert cost_of(TokenUsage(audio_seconds=3), by_the_hour) == D("0.001")
    by_the_token = a_price("2.5", "10", rates={Unit.INPUT_AUDIO: D(6)})
    assert quote(bound, by_the_token) == D("0.04")


@pytest.mark.parametrize(
    ("unit", "usage", "usd"),
    [
        (Unit.WEB_SEARCH, TokenUsage(web_searches=2), "0.02"),
        (Unit.IMAGE, TokenUsage(images=2), "20"),
        (Unit.CHARACTER, TokenUsage(input_characters=1_000), "0.01"),
        (Unit.AUDIO, TokenUsage(audio_seconds=360), "1"),
        (Unit.RERANK_SEARCH, TokenUsage(rerank_searches=1), "0.01"),
        (Unit.REQUEST, TokenUsage(), "0.01"),
    ],
)
def test_pieces_are_charged_for_as_many_as_a_rate_pays_for(
    unit: Unit, usage: TokenUsage, usd: str
) -> None:
    assert cost_of(usage, a_price("0", "0", rates={unit: D(10)})) == D(usd)


def test_a_total_that_is_not_split_costs_the_dearest_of_its_parts() -> None:
    speech = a_price("1", None, rates={Unit.OUTPUT_AUDIO: D(12), Unit.OUTPUT_IMAGE: D(30)})
    assert cost_of(TokenUsage(0, MILLION), speech) == 30


def test_audio_that_the_provider_does_not_tell_apart_is_charged_as_audio() -> None:
    price = a_price("1", "2", rates={Unit.INPUT_AUDIO: D(10)})
    told = told_apart(TokenUsage(100, 10), Bound(500, 50, input_audio_tokens=80), price)
    assert told.input_audio_tokens == 80
    untouched = TokenUsage(100, 10, input_audio_tokens=7)
    assert told_apart(untouched, Bound(500, 50, input_audio_tokens=80), price) == untouched


def test_pictures_that_the_provider_does_not_tell_apart_are_charged_as_pictures() -> None:
    price = a_price("1", "2", rates={Unit.OUTPUT_IMAGE: D(30)})
    told = told_apart(TokenUsage(100, 10), Bound(500, 50), price)
    assert told.output_image_tokens == 10
    assert quote(Bound(0, MILLION), price) == 30


def test_pieces_that_the_provider_does_not_count_are_those_that_were_asked_for() -> None:
    price = a_price("0", "0", rates={Unit.IMAGE: D(1)})
    assert told_apart(TokenUsage(), Bound(0, 0, images=3), price).images == 3


def test_money_keeps_all_its_digits() -> None:
    rate, tokens = "123456789012345.123456789012", 999_999_999
    cost = cost_of(TokenUsage(tokens), a_price(rate))
    excess = Fraction(cost) - Fraction(rate) * tokens / MILLION
    assert 0 <= excess < Fraction(QUANTUM_USD)


def test_a_price_applies_from_its_date_until_the_next() -> None:
    day = timedelta(days=1)
    later = replace(a_price("5"), effective_from=_NOW + 2 * day)
    price = replace(a_price("1"), effective_from=_NOW, upcoming=(later,))
    assert price.at(_NOW - day) is None
    assert price.at(_NOW) is price
    assert price.at(_NOW + 3 * day) is later


def test_what_follows_from_a_price_is_found_out_once_for_all_requests() -> None:
    price = a_price(service_tiers=PRIORITY)
    assert price.table is price.table
    assert price.table.units is price.table.units
    assert price.tier_tables is price.tier_tables
    dearer = replace(price, input_usd_per_million=D(7))
    assert dearer.table.rates[Unit.INPUT] == 7
    assert dearer.tier_tables["priority"].rates[Unit.OUTPUT] == price.table.rates[Unit.OUTPUT]


def test_a_price_is_free_only_if_nothing_in_it_costs() -> None:
    assert a_price("0", "0").is_free
    assert not a_price("0", "0", rates={Unit.REQUEST: D(1)}).is_free
    assert not a_price("0", "0", tiers=(RateTier(1, {Unit.INPUT: D(1)}),)).is_free
    assert not a_price("0", "0", service_tiers=PRIORITY).is_free


def test_a_price_names_its_version_for_the_books() -> None:
    assert a_price().version == "openai:m@2026-11-25T00:00:00Z"
    catalogued = a_price(catalogue_date="2026-11-20")
    assert catalogued.version == "openai:m@catalogue 2026-11-20"
