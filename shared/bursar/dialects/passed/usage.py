"""The usage objects of answers beside chat, normalised.

OpenAI counts `input_tokens` with `input_tokens_details` for pictures, `input_token_details` for
transcripts, or `seconds` of audio; Mistral counts as in chat, with `prompt_audio_seconds`; Cohere
bills `search_units`; Jina and Voyage tell a total alone.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from bursar.dialects.openai_usage import read_usage
from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

_COUNT_MAX: Final = 10**9
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "prompt_tokens": ("input_tokens", "prompt_tokens"),
    "completion_tokens": ("output_tokens", "completion_tokens"),
    "total_tokens": ("total_tokens",),
    "prompt_tokens_details": (
        "input_tokens_details",
        "input_token_details",
        "prompt_tokens_details",
    ),
    "completion_tokens_details": (
        "output_tokens_details",
        "output_token_details",
        "completion_tokens_details",
    ),
}


def read_counts(usage: Any) -> TokenUsage | None:
    """Normalise a usage object in tokens or seconds; None where it says nothing."""
    if not isinstance(usage, dict):
        return None
    named = {
        name: next((usage[known] for known in known_as if known in usage), None)
        for name, known_as in _NAMES.items()
    }
    if "prompt_audio_seconds" in usage:
        return _read_mistral(usage, named)
    return with_pieces(read_usage(named), audio_seconds=begun(usage.get("seconds")))


def _read_mistral(usage: Mapping[str, Any], named: dict[str, Any]) -> TokenUsage | None:
    """Mistral leaves audio out of the prompt's tokens, but not out of the total."""
    total, written = begun(usage.get("total_tokens")), begun(usage.get("completion_tokens"))
    text = begun(usage.get("prompt_tokens"))
    audio = max(total - written - text, 0)
    named |= {"prompt_tokens": text + audio, "prompt_tokens_details": {"audio_tokens": audio}}
    return with_pieces(read_usage(named), audio_seconds=begun(usage["prompt_audio_seconds"]))


def read_drawn(usage: Any) -> TokenUsage | None:
    """The same for pictures: all output is of them, unless the object says what is words."""
    counts = read_counts(usage)
    if counts is None or isinstance(usage.get("output_tokens_details"), dict):
        return counts
    return replace(counts, output_image_tokens=counts.output_tokens)


def read_spoken(usage: Any) -> TokenUsage | None:
    """The same for speech: all output is audio."""
    counts = read_counts(usage)
    return None if counts is None else replace(counts, output_audio_tokens=counts.output_tokens)


def with_pieces(usage: TokenUsage | None, **pieces: int) -> TokenUsage | None:
    """Usage with pieces counted besides; None where neither says anything."""
    counted = {name: count for name, count in pieces.items() if count}
    if not counted:
        return usage
    return replace(usage or TokenUsage(), **counted)


def begun(count: Any) -> int:
    """A count that may have a fraction, which is billed as a whole; 0 for anything else."""
    if isinstance(count, bool) or not isinstance(count, int | float):
        return 0
    return math.ceil(count) if 0 < count <= _COUNT_MAX else 0
