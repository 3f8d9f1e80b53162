"""Usage cut into shares that do not overlap, so that each token is charged once, at one rate.

Providers' counts may contradict themselves: a part larger than its total, parts that together are.
The totals hold then, and what is usually dearer is taken from them first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.price_rates import Unit

if TYPE_CHECKING:
    from bursar.domain.usage import TokenUsage


def shares_of(usage: TokenUsage) -> dict[Unit, int]:
    """How many units there are to charge; no unit has fewer than none."""
    shares = {**_input_shares(usage), **_output_shares(usage)}
    shares |= {
        Unit.WEB_SEARCH: usage.web_searches,
        Unit.IMAGE: usage.images,
        Unit.CHARACTER: usage.input_characters,
        Unit.AUDIO: usage.audio_seconds,
        Unit.RERANK_SEARCH: usage.rerank_searches,
        Unit.REQUEST: 1,
    }
    return {unit: count for unit, count in shares.items() if count > 0}


class _Whole:
    """A total from which shares are taken until nothing is left."""

    def __init__(self, total: int) -> None:
        self.left = max(total, 0)

    def take(self, wanted: int) -> int:
        if wanted <= 0:
            return 0
        taken = min(wanted, self.left)
        self.left -= taken
        return taken


def _input_shares(usage: TokenUsage) -> dict[Unit, int]:
    whole, cached = _Whole(usage.input_tokens), _Whole(usage.cached_input_tokens)
    kept_1h = whole.take(usage.cache_write_1h_tokens)
    written = whole.take(usage.cache_write_tokens - kept_1h)
    cached_audio = cached.take(min(usage.cached_audio_tokens, usage.input_audio_tokens))
    audio = whole.take(usage.input_audio_tokens - cached_audio)
    images = whole.take(usage.input_image_tokens)
    cached_audio = whole.take(cached_audio)
    cached_text = whole.take(cached.left)
    return {
        Unit.CACHE_WRITE_1H: kept_1h,
        Unit.CACHE_WRITE: written,
        Unit.INPUT_AUDIO: audio,
        Unit.INPUT_IMAGE: images,
        Unit.CACHED_AUDIO: cached_audio,
        Unit.CACHED_INPUT: cached_text,
        Unit.INPUT: whole.left,
    }


def _output_shares(usage: TokenUsage) -> dict[Unit, int]:
    whole = _Whole(usage.output_tokens)
    return {
        Unit.OUTPUT_IMAGE: whole.take(usage.output_image_tokens),
        Unit.OUTPUT_AUDIO: whole.take(usage.output_audio_tokens),
        Unit.REASONING: whole.take(usage.reasoning_tokens),
        Unit.OUTPUT: whole.left,
    }
