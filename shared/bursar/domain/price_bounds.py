"""The dearest that each part of a bound can be, at given rates, and what cannot be priced at all.

A request may be measured in more than one way: a transcription in tokens and in seconds, speech in
tokens and in characters. Its price says which of them is billed; one of them has to be.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from bursar.domain.errors import Unpriceable
from bursar.domain.money import price_of
from bursar.domain.price_command import how_to_add
from bursar.domain.price_rates import UNITS_PER_RATE, Unit, dearest, rate_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bursar.domain.price_rates import Rates
    from bursar.domain.pricing import Bound, Price


def fixed_most(bound: Bound, price: Price, rates: Rates) -> Decimal:
    """The dearest that everything but the answers' length can be."""
    most = _input_most(bound, price, rates) + _pieces_most(bound, price, rates)
    if bound.prediction_tokens:
        most += price_of(bound.prediction_tokens, output_rate_most(bound, rates))
    return most


def output_rate_most(bound: Bound, rates: Rates) -> Decimal:
    """The dearest rate of a token of the answer; a model that makes pictures may do so unasked."""
    units = [Unit.OUTPUT, Unit.REASONING, Unit.OUTPUT_IMAGE]
    if bound.generates_audio:
        units.append(Unit.OUTPUT_AUDIO)
    return dearest(rates, units)


def _input_most(bound: Bound, price: Price, rates: Rates) -> Decimal:
    """Every token at the dearest text rate, and what audio and images cost beyond that."""
    text = dearest(rates, _text_units(bound, price))
    most = price_of(bound.input_tokens, text)
    if bound.input_audio_tokens:
        audio = max(text, dearest(rates, (Unit.INPUT_AUDIO, Unit.CACHED_AUDIO)))
        most += price_of(bound.input_audio_tokens, audio - text)
    if bound.input_image_tokens:
        image = max(text, rate_of(rates, Unit.INPUT_IMAGE))
        most += price_of(bound.input_image_tokens, image - text)
    return most


def _text_units(bound: Bound, price: Price) -> Iterator[Unit]:
    yield from (Unit.INPUT, Unit.CACHED_INPUT)
    if bound.writes_cache or bound.writes_cache_1h or price.caches_unasked:
        yield Unit.CACHE_WRITE
    if bound.writes_cache_1h:
        yield Unit.CACHE_WRITE_1H


def _pieces_most(bound: Bound, price: Price, rates: Rates) -> Decimal:
    counts = {Unit.REQUEST: 1, **_pieces_of(bound)}
    if Unit.AUDIO in counts:
        counts[Unit.AUDIO] = max(counts[Unit.AUDIO], price.audio_seconds_min)
    amounts = (
        price_of(count, rate, UNITS_PER_RATE[unit])
        for unit, count in counts.items()
        if (rate := rate_of(rates, unit))
    )
    return sum(amounts, Decimal(0))


def _pieces_of(bound: Bound) -> dict[Unit, int]:
    counts = {
        Unit.WEB_SEARCH: bound.web_searches,
        Unit.IMAGE: bound.images,
        Unit.CHARACTER: bound.input_characters,
        Unit.AUDIO: bound.audio_seconds,
        Unit.RERANK_SEARCH: bound.rerank_searches,
    }
    return {unit: count for unit, count in counts.items() if count}


_WAYS_TO_BILL: Final[Sequence[tuple[str, str, Sequence[Unit]]]] = (
    (
        "input tokens",
        "input_tokens",
        (Unit.INPUT, Unit.IMAGE, Unit.CHARACTER, Unit.AUDIO, Unit.RERANK_SEARCH),
    ),
    (
        "output tokens",
        "output_tokens_total",
        (
            *(Unit.OUTPUT, Unit.OUTPUT_AUDIO, Unit.OUTPUT_IMAGE),
            *(Unit.IMAGE, Unit.CHARACTER, Unit.AUDIO, Unit.RERANK_SEARCH),
        ),
    ),
    ("audio input", "input_audio_tokens", (Unit.INPUT_AUDIO, Unit.AUDIO)),
    ("audio output", "generates_audio", (Unit.OUTPUT_AUDIO, Unit.CHARACTER)),
    ("image output", "generates_images", (Unit.OUTPUT_IMAGE, Unit.IMAGE)),
    ("web searches", "web_searches", (Unit.WEB_SEARCH,)),
    ("images", "images", (Unit.IMAGE, Unit.OUTPUT_IMAGE)),
    ("characters of speech", "input_characters", (Unit.CHARACTER, Unit.INPUT)),
    ("seconds of audio", "audio_seconds", (Unit.AUDIO, Unit.INPUT_AUDIO)),
    ("rerank searches", "rerank_searches", (Unit.RERANK_SEARCH, Unit.INPUT)),
)
"""What may be in a bound, its field, and the units of which one has to be in it and have a rate."""


def check_priced(bound: Bound, price: Price) -> None:
    """Hold a bound against the units that a price has rates for.

    Raises:
        Unpriceable: some of it would cost nothing for want of a rate.
    """
    billable = price.table.units & _present(bound)
    for what, field, ways in _WAYS_TO_BILL:
        if getattr(bound, field) and billable.isdisjoint(ways):
            raise Unpriceable(
                f"The price of '{price.model_key}' has no rate for {what}. An administrator sets "
                f"one by {how_to_add(price.model_key, ways[0])}"
            )


def _present(bound: Bound) -> frozenset[Unit]:
    """The units that the bound counts."""
    answered, read = bound.output_tokens_total, bound.input_tokens
    counts = {
        Unit.INPUT: read,
        Unit.INPUT_AUDIO: read,
        Unit.OUTPUT: answered,
        Unit.OUTPUT_AUDIO: answered,
        Unit.OUTPUT_IMAGE: answered,
        **_pieces_of(bound),
    }
    return frozenset(unit for unit, count in counts.items() if count)
