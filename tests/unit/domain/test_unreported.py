"""What is used and not reported: exact where the request shows it, never free."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.price_rates import Unit
from bursar.domain.pricing import Bound, Price, cost_of, quote
from bursar.domain.unreported import counted, most
from bursar.domain.usage import TokenUsage

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_TOKENS = Price("a:b", Decimal(5), Decimal(30), _NOW, _NOW)
_FREE = Price("a:b", Decimal(0), Decimal(0), _NOW, _NOW)
_SPEECH = TokenUsage(input_characters=20)
_PIECES = [
    (Unit.IMAGE, "images"),
    (Unit.CHARACTER, "input_characters"),
    (Unit.AUDIO, "audio_seconds"),
    (Unit.RERANK_SEARCH, "rerank_searches"),
]


def _by(unit: Unit) -> Price:
    return Price("a:b", None, None, _NOW, _NOW, rates={unit: Decimal(1)})


def test_what_the_provider_counted_stands() -> None:
    usage = TokenUsage(3, 4)
    assert counted(usage, None, _TOKENS) == usage


def test_what_the_request_shows_counts_where_that_is_billed() -> None:
    assert counted(None, _SPEECH, _by(Unit.CHARACTER)) == _SPEECH
    assert counted(None, _SPEECH, None) == _SPEECH


def test_what_the_request_shows_does_not_count_where_something_else_is_billed() -> None:
    assert counted(None, _SPEECH, _TOKENS) is None
    assert counted(None, None, _TOKENS) is None


@pytest.mark.parametrize(("unit", "field"), _PIECES)
def test_a_piece_that_the_provider_did_not_count_is_the_requests(unit: Unit, field: str) -> None:
    own = TokenUsage(**{field: 7})
    assert counted(TokenUsage(1, 2), own, _by(unit)) == TokenUsage(1, 2, **{field: 7})
    reported = TokenUsage(**{field: 6})
    assert counted(reported, own, _by(unit)) == reported


@pytest.mark.parametrize(("unit", "field"), _PIECES)
def test_pieces_without_their_tokens_do_not_count_where_tokens_are_billed(
    unit: Unit, field: str
) -> None:
    assert counted(TokenUsage(**{field: 7}), None, _TOKENS) is None
    assert counted(TokenUsage(5, 5), None, _by(unit)) is None


@pytest.mark.parametrize(
    "usage",
    [
        TokenUsage(1_024, 100, cached_input_tokens=1_024, reasoning_tokens=100),
        TokenUsage(0, 100, reasoning_tokens=100),
        TokenUsage(1_024, 0, cache_write_tokens=1_024),
        TokenUsage(50, 0, input_audio_tokens=50),
    ],
)
def test_parts_that_are_all_of_a_total_count_where_the_total_has_the_rate(
    usage: TokenUsage,
) -> None:
    assert counted(usage, None, _TOKENS) == usage


def test_a_rate_for_each_request_does_not_make_a_count_of_nothing() -> None:
    each = replace(_TOKENS, rates={Unit.REQUEST: Decimal(5)})
    assert counted(TokenUsage(), None, each) is None


def test_nothing_is_a_count_of_what_is_free() -> None:
    assert counted(None, TokenUsage(), _FREE) == TokenUsage()


_counts = st.integers(0, 10_000)
_usages = st.builds(TokenUsage, _counts, _counts, **{field: _counts for _, field in _PIECES})


@given(
    usage=st.none() | _usages,
    own=st.none() | _usages,
    price=st.sampled_from([_TOKENS, *(_by(unit) for unit, _ in _PIECES)]),
)
def test_what_counts_is_never_free(
    usage: TokenUsage | None, own: TokenUsage | None, price: Price
) -> None:
    used = counted(usage, own, price)
    assert used is None or cost_of(used, price) > 0


@given(
    piece=st.sampled_from(_PIECES),
    count=st.integers(1, 10_000),
    tokens=st.tuples(_counts, _counts),
    output_bytes=_counts,
)
def test_the_most_costs_no_more_than_was_held(
    piece: tuple[Unit, str], count: int, tokens: tuple[int, int], output_bytes: int
) -> None:
    unit, field = piece
    price, bound = _by(unit), replace(Bound(*tokens), **{field: count})  # type: ignore[arg-type]  # a count of pieces
    assert 0 < cost_of(most(bound, output_bytes), price) <= quote(bound, price)
