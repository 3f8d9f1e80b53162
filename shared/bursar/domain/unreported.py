"""Usage that a provider's answer does not tell, or not all of it.

Binary audio and plain text have no place for a usage object. What the request itself shows, such as
the characters to be spoken, is exact nevertheless. Where nothing of what is billed was counted, the
request's bound is charged: nothing is free because nobody counted it.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from bursar.domain.price_rates import INPUT_UNITS, OUTPUT_UNITS, Unit
from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.pricing import Bound, Price

_PIECES: Final = ("images", "input_characters", "audio_seconds", "rerank_searches")
# A part without a rate of its own is billed at another one of the same total.
_BILLED_BY: Final[Mapping[str, frozenset[Unit]]] = MappingProxyType(
    {
        "input_tokens": INPUT_UNITS,
        "output_tokens": OUTPUT_UNITS,
        "web_searches": frozenset({Unit.WEB_SEARCH}),
        "images": frozenset({Unit.IMAGE}),
        "input_characters": frozenset({Unit.CHARACTER}),
        "audio_seconds": frozenset({Unit.AUDIO}),
        "rerank_searches": frozenset({Unit.RERANK_SEARCH}),
    }
)


class TellsItsUsage(Protocol):
    """A request that shows what it uses, or a part of that."""

    def own_usage(self, price: Price | None) -> TokenUsage | None:
        """What it uses as far as the request shows it exactly, None where it does not."""
        ...


def counted(
    metered: TokenUsage | None, own: TokenUsage | None, price: Price | None
) -> TokenUsage | None:
    """What was used, None where nothing of what is billed was counted.

    Args:
        metered: what the provider counted.
        own: what the request shows, in place of what the provider did not count.
        price: says what is billed.
    """
    usage = metered or own
    if usage is None:
        return None
    if own is not None:
        missing = {name: getattr(own, name) for name in _PIECES if not getattr(usage, name)}
        usage = replace(usage, **missing)
    return usage if price is None or price.is_free or _tells_what_is_billed(usage, price) else None


def _tells_what_is_billed(usage: TokenUsage, price: Price) -> bool:
    units = price.table.units
    return any(
        getattr(usage, count) > 0 and not units.isdisjoint(ways)
        for count, ways in _BILLED_BY.items()
    )


def most(bound: Bound, output_bytes: int) -> TokenUsage:
    """What the books say of a request whose usage nobody counted: all that its bound allows.

    Args:
        output_bytes: length of what was generated, no fewer than its tokens.
    """
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
