"""Metering whole answers: JSON with a usage object, and bytes that have no place for one."""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from bursar.dialects.metering import UNREADABLE, MeteredAnswer
from bursar.dialects.openai_usage import reported_cost
from bursar.dialects.passed.audio_length import spoken_seconds
from bursar.dialects.passed.usage import begun, read_counts, read_drawn, with_pieces

AUDIO_TOKENS_PER_S: Final = 21
"""Of generated audio: OpenAI estimates 1,250 a minute (pricing page, gpt-4o-mini-tts)."""

_NULL: Final = msgspec.Raw(b"null")


class _Images(msgspec.Struct):
    """OpenAI's name for pictures, and SiliconFlow's; an answer may have them under both."""

    data: msgspec.Raw = _NULL
    images: msgspec.Raw = _NULL
    usage: Any = None


class _Transcript(msgspec.Struct):
    text: str | None = None
    duration: Any = None
    usage: Any = None


class _Meta(msgspec.Struct):
    billed_units: Any = None
    tokens: Any = None


class _Ranking(msgspec.Struct):
    meta: _Meta | None = None
    usage: Any = None


class _Counted(msgspec.Struct):
    usage: Any = None


_IMAGES = msgspec.json.Decoder(_Images)
_TRANSCRIPT = msgspec.json.Decoder(_Transcript)
_RANKING = msgspec.json.Decoder(_Ranking)
_COUNTED = msgspec.json.Decoder(_Counted)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


def meter_images(body: bytes) -> MeteredAnswer:
    """Pictures that came, and the tokens that they count."""
    try:
        answer = _IMAGES.decode(body)
        count = max(_length(answer.data), _length(answer.images))
    except UNREADABLE:
        return MeteredAnswer(None, len(body))
    usage = with_pieces(read_drawn(answer.usage), images=count)
    return MeteredAnswer(usage, len(body), reported_cost(answer.usage))


def meter_speech(body: bytes) -> MeteredAnswer:
    """Audio, whose length is all that it tells: as many tokens as that can be."""
    return MeteredAnswer(None, math.ceil(spoken_seconds(body) * AUDIO_TOKENS_PER_S))


def meter_transcript(body: bytes) -> MeteredAnswer:
    """A transcript: JSON that may count, or a text that does not."""
    try:
        answer = _TRANSCRIPT.decode(body)
    except UNREADABLE:
        return MeteredAnswer(None, len(body))
    usage = read_counts(answer.usage) or with_pieces(None, audio_seconds=begun(answer.duration))
    return MeteredAnswer(usage, len(body))


def meter_ranking(body: bytes) -> MeteredAnswer:
    """A ranking, billed by the search or by tokens."""
    try:
        answer = _RANKING.decode(body)
    except UNREADABLE:
        return MeteredAnswer(None, 0)
    meta = answer.meta or _Meta()
    usage = read_counts(answer.usage) or read_counts(meta.tokens)
    billed = meta.billed_units if isinstance(meta.billed_units, dict) else {}
    return MeteredAnswer(with_pieces(usage, rerank_searches=begun(billed.get("search_units"))), 0)


def meter_counted(body: bytes) -> MeteredAnswer:
    """An answer that generates nothing, and may count its input."""
    try:
        answer = _COUNTED.decode(body)
    except UNREADABLE:
        return MeteredAnswer(None, 0)
    return MeteredAnswer(read_counts(answer.usage), 0, reported_cost(answer.usage))


def _length(value: msgspec.Raw) -> int:
    """How many a list holds, whose pictures are not decoded; 0 for anything else."""
    return len(_LIST.decode(value)) if memoryview(value)[:1].tobytes() == b"[" else 0
