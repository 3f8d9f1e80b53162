from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.money import QUANTUM_USD, canonical, display, parse_usd, price_of, round_up
from bursar.domain.pricing import Bound, Price, affordable_output_tokens, cost_of, quote
from bursar.domain.usage import TokenUsage

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_rates = st.decimals("0", "1000", places=4)
_tokens = st.integers(0, 2_000_000)


def _price(rate_in: Decimal, rate_out: Decimal, cached: Decimal | None = None) -> Price:
    return Price("a:b", rate_in, rate_out, _NOW, _NOW, cached_input_usd_per_million=cached)


def test_amounts_are_rounded_up_to_the_quantum() -> None:
    assert round_up(Decimal("0.0000000000001")) == QUANTUM_USD
    assert round_up(Decimal("0.1")) == Decimal("0.1")


@pytest.mark.parametrize("text", ["1E+3", "1000.000", "1000"])
def test_one_amount_has_one_notation(text: str) -> None:
    assert str(canonical(Decimal(text))) == "1000"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "x", "", "1,5"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        parse_usd(text)


def test_small_amounts_are_shown_without_an_exponent() -> None:
    assert display(Decimal("0.0000021")) == "$0.0000021"


def test_a_price_is_exact_where_a_float_is_not() -> None:
    assert price_of(3, Decimal("0.1")) * 1_000_000 == Decimal("0.3")


@given(_rates, _rates, st.none() | _rates, _tokens, _tokens, st.integers(1, 8), st.data())
def test_no_usage_within_its_bound_costs_more_than_the_quote(  # noqa: PLR0917
    rate_in: Decimal,
    rate_out: Decimal,
    cached_rate: Decimal | None,
    input_tokens: int,
    output_tokens: int,
    answers: int,
    data: st.DataObject,
) -> None:
    price = _price(rate_in, rate_out, cached_rate)
    bound = Bound(input_tokens, output_tokens, answers)
    used = TokenUsage(
        data.draw(st.integers(0, input_tokens)),
        data.draw(st.integers(0, bound.output_tokens_total)),
        data.draw(st.integers(0, input_tokens)),
    )
    assert cost_of(used, price) <= quote(bound, price)


@given(_rates, _rates, _tokens, _tokens, st.integers(1, 8), st.decimals("0", "50", places=9))
def test_what_is_affordable_fits_and_one_token_more_does_not(  # noqa: PLR0917
    rate_in: Decimal,
    rate_out: Decimal,
    input_tokens: int,
    output_tokens: int,
    answers: int,
    left: Decimal,
) -> None:
    price, bound = _price(rate_in, rate_out), Bound(input_tokens, output_tokens, answers)
    tokens = affordable_output_tokens(bound, price, left)
    assert 0 <= tokens <= output_tokens
    if tokens:
        assert quote(Bound(input_tokens, tokens, answers), price) <= left
    if 0 < tokens < output_tokens:
        assert quote(Bound(input_tokens, tokens + 1, answers), price) > left


def test_cached_input_is_charged_at_its_own_rate() -> None:
    price = _price(Decimal(10), Decimal(20), Decimal(1))
    assert cost_of(TokenUsage(100, 10, 60), price) == Decimal("0.00066")
    assert cost_of(TokenUsage(100, 10, 60), _price(Decimal(10), Decimal(20))) == Decimal("0.0012")
