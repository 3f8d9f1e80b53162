"""Usage that a provider's answer does not tell, or not all of it.

Binary audio and plain text have no place for a usage object. What is billed by a measure that the
request itself shows is exact nevertheless; anything else is charged by the request's bound, so that
nothing is free because nobody counted it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from bursar.domain.pricing import Bound, Price

# A request that is billed by one of these uses some of it. Searches of the web are none of them:
# the model may do without.
_PIECES: Final = ("images", "input_characters", "audio_seconds", "rerank_searches")


@runtime_checkable
class TellsItsUsage(Protocol):
    """A request that shows what it uses, or a part of that."""

    def own_usage(self, price: Price | None) -> TokenUsage | None:
        """What it is billed by as far as the request shows it exactly, None where it does not."""
        ...


def completed(
    metered: TokenUsage | None, own: TokenUsage | None, bound: Bound, output_bytes: int
) -> tuple[TokenUsage, bool]:
    """What was used, and whether any of it is an upper bound.

    Args:
        metered: what the provider counted.
        own: what the request shows, for units that the provider did not count.
        bound: stands for what its units allow and nobody counted.
        output_bytes: length of what was generated, no fewer than its tokens.
    """
    usage = metered or own
    if usage is None:
        return most(bound, output_bytes), True
    if metered is not None and own is not None:
        usage = _with_pieces(metered, own)
    whole = _with_pieces(usage, most(bound, output_bytes))
    if not usage.total_tokens and bound.input_tokens + bound.output_tokens_total:
        unsaid = most(bound, output_bytes)
        whole = replace(unsaid, **{name: getattr(whole, name) for name in _PIECES})
    return whole, whole != usage


def most(bound: Bound, output_bytes: int) -> TokenUsage:
    """The most that was used, as if nobody had counted anything."""
    output_tokens = min(output_bytes, bound.output_tokens_total)
    return TokenUsage(
        bound.input_tokens,
        output_tokens,
        input_audio_tokens=bound.input_audio_tokens,
        input_image_tokens=bound.input_image_tokens,
        output_audio_tokens=output_tokens if bound.generates_audio else 0,
        output_image_tokens=output_tokens if bound.generates_images else 0,
        web_searches=bound.web_searches,
        images=bound.images,
        input_characters=bound.input_characters,
        audio_seconds=bound.audio_seconds,
        rerank_searches=bound.rerank_searches,
    )


def _with_pieces(usage: TokenUsage, more: TokenUsage) -> TokenUsage:
    """The usage with the pieces of `more` that it has none of."""
    missing = {name: getattr(more, name) for name in _PIECES if not getattr(usage, name)}
    return replace(usage, **missing)
