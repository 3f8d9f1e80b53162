"""No usage that vendors document costs more than was held for it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.passed.images import parse_edits, parse_generations
from bursar.dialects.passed.rerank import parse_rerank
from bursar.dialects.passed.speech import parse_speech
from bursar.dialects.passed.transcriptions import parse_transcription
from bursar.domain.price_rates import Unit
from bursar.domain.pricing import cost_of, quote
from bursar.domain.usage import TokenUsage
from tests.fakes.forms import CONTENT_TYPE, Field, form, mp3, wav
from tests.unit.dialects.passed.prices import by_the_piece, by_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from bursar.dialects.passed.request import PassedRequest

JSON = "application/json"
_PRICE = by_tokens(
    rates={
        Unit.INPUT_IMAGE: Decimal(8),
        Unit.OUTPUT_IMAGE: Decimal(40),
        Unit.INPUT_AUDIO: Decimal(6),
        Unit.OUTPUT_AUDIO: Decimal(12),
    }
)
_TABLE = {"low": (272, 408, 400), "medium": (1_056, 1_584, 1_568), "high": (4_160, 6_240, 6_208)}
_SIZES = ("1024x1024", "1024x1536", "1536x1024")
_PATCHES = {"low": 16, "medium": 48, "high": 96}
_words = st.text(max_size=60)
_counts = st.integers(1, 10)


def _holds(request: PassedRequest, usage: TokenUsage) -> bool:
    bound = request.bound(_PRICE, 16_384)  # type: ignore[attr-defined]  # each kind has its own
    return cost_of(usage, _PRICE) <= quote(bound, _PRICE)


def _picture(words: str, tokens: int, shown: int = 0) -> TokenUsage:
    read, seen = len(words.encode()), shown * 14_400
    return TokenUsage(
        read + seen, tokens, input_image_tokens=seen, output_image_tokens=tokens, images=1
    )


@given(
    words=_words,
    quality=st.sampled_from(sorted(_TABLE)),
    size=st.sampled_from(range(3)),
    count=_counts,
    said=st.sampled_from([frozenset({"size", "quality"}), frozenset()]),
)
def test_the_first_models_pictures_cost_no_more_than_was_held(
    words: str, quality: str, size: int, count: int, said: frozenset[str]
) -> None:
    body = {"model": "openai:gpt-image-1.5", "prompt": words, "n": count}
    asked = {"quality": quality, "size": _SIZES[size]}
    body |= {name: asked[name] for name in said}
    request = parse_generations(msgspec.json.encode(body), JSON)
    assert _holds(request, _picture(words, count * _TABLE[quality][size]))


@given(
    quality=st.sampled_from(sorted(_PATCHES)),
    edges=st.tuples(st.integers(50, 180), st.integers(50, 180)),
    partial=st.integers(0, 3),
    shown=st.integers(1, 16),
)
def test_later_pictures_of_any_size_cost_no_more_than_was_held(
    quality: str, edges: tuple[int, int], partial: int, shown: int
) -> None:
    short, long = sorted(16 * edge for edge in edges)
    patches = _PATCHES[quality]
    tokens = patches * round(patches * short / long) * (2_000_000 + short * long) / 4_000_000
    fields: list[Field] = [
        ("model", "openai:gpt-image-2"),
        ("prompt", "p"),
        ("quality", quality),
        ("size", f"{long}x{short}"),
        ("stream", "true"),
        ("partial_images", str(partial)),
        *[("image[]", "a.png", "image/png", b"\x89PNG")] * shown,
    ]
    request = parse_edits(form(fields), CONTENT_TYPE)
    assert _holds(request, _picture("p", int(tokens) + 1 + 100 * partial, shown))


@given(text=st.text(min_size=1, max_size=200), per_second=st.integers(3, 25))
def test_speech_costs_no_more_than_was_held_however_slow(text: str, per_second: int) -> None:
    body = {"model": "openai:gpt-4o-mini-tts", "input": text, "voice": "alloy"}
    request = parse_speech(msgspec.json.encode(body), JSON)
    spoken = int(20.9 * len(text) / per_second) + 40
    usage = TokenUsage(len(text.encode()), spoken, output_audio_tokens=spoken)
    assert _holds(request, usage)


@given(seconds=st.integers(1, 120), made=st.sampled_from([mp3, wav]), words=_words)
def test_transcripts_cost_no_more_than_was_held_by_tokens_or_by_time(
    seconds: int,
    made: Callable[[float], bytes],
    words: str,
) -> None:
    file: Field = ("file", "a", "audio/x", made(seconds))
    fields: list[Field] = [("model", "openai:gpt-4o-transcribe"), file, ("prompt", words)]
    request = parse_transcription(form(fields), CONTENT_TYPE)
    audio, text = 10 * seconds, len(words.encode())
    assert _holds(request, TokenUsage(audio + text, 4 * seconds, input_audio_tokens=audio))
    price = by_the_piece(Unit.AUDIO)
    usage = TokenUsage(audio_seconds=seconds)
    assert cost_of(usage, price) <= quote(request.bound(price, 1), price)


@given(
    documents=st.lists(st.text(max_size=2_000), min_size=1, max_size=30),
    query=st.text(max_size=600),
)
def test_rankings_cost_no_more_searches_than_were_held(documents: list[str], query: str) -> None:
    """As Cohere counts: chunks of 500 tokens, the query among them, as long as it fits half."""
    body = {"model": "cohere:rerank-v3.5", "query": query, "documents": documents}
    request = parse_rerank(msgspec.json.encode(body), JSON)
    room = 500 - min(len(query.encode()) // 2, 250)
    chunks = sum(max(1, -(-(len(document.encode()) // 2) // room)) for document in documents)
    price = by_the_piece(Unit.RERANK_SEARCH)
    usage = TokenUsage(rerank_searches=max(1, -(-chunks // 100)))
    assert cost_of(usage, price) <= quote(request.bound(price, 1), price)
