"""Rows of the public data that are known and yet give no price, each with its reason.

They stay in the catalogue without rates, so that a model they describe is not mistaken for another
that a wider rule would match.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from infra.prices.mapping import NOT_NEEDED, TIER_KEYS, UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from genai_prices.types import ModelInfo, ModelPrice

_BORROWED = re.compile(r"(Imported from|Seen on) OpenRouter (pricing|before)")
_VERIFIED = re.compile(r"Verified against", re.IGNORECASE)
_PICTURES = re.compile("image")

_FREE_OF_CHARGE: Final = frozenset(
    {
        ("openai", "moderation"),
        ("google", "gemma-3"),
        ("google", "gemma-3n"),
        ("google", "gemma-4-26b-a4b-it"),
        ("google", "gemma-4-31b-it"),
    }
)
_FREE_SUFFIX = ":free"


def is_free(shard: str, model: ModelInfo) -> bool:
    """Tell a model that costs nothing from one whose rates are not known: neither has any."""
    is_named_so = shard == "openrouter" and model.id.endswith(_FREE_SUFFIX)
    return is_named_so or (shard, model.id) in _FREE_OF_CHARGE


def reason_against(shard: str, model: ModelInfo, prices: Iterable[ModelPrice]) -> str | None:
    """Why a model gets no price from the public data, or None."""
    every = list(prices)
    keys = {key for price in every for key, value in price.__dict__.items() if value is not None}
    comment = model.price_comments or ""
    if not all(price.__dict__ for price in every) and not is_free(shard, model):
        return "its rates are not public"
    if shard != "openrouter" and _BORROWED.search(comment) and not _VERIFIED.search(comment):
        return "the rates known for it are another provider's"
    if shard == "google" and model.id.startswith("claude"):
        return "its rates depend on the region, which its name does not tell"
    return _unmetered(keys) or _unbounded(shard, model, every, keys)


def _unmetered(keys: set[str]) -> str | None:
    unknown = sorted(keys - UNITS.keys() - NOT_NEEDED - {"input_video_mtok"})
    if unknown:
        return f"it bills what is not metered: {', '.join(unknown)}"
    if "input_video_mtok" in keys and "output_mtok" in keys:
        return "it bills video, which is not metered"
    return None


def _unbounded(
    shard: str, model: ModelInfo, prices: Sequence[ModelPrice], keys: set[str]
) -> str | None:
    """A model that may cost more than its rates say."""
    if shard == "openrouter" and _PICTURES.search(model.id) and "output_image_mtok" not in keys:
        return "it bills pictures at a rate that is not known"
    for variant in model.price_variants or ():
        if not variant.when.keys() <= TIER_KEYS and _is_dearer(prices, variant.prices):
            return "its rates depend on the route that its provider takes"
    return None


def _is_dearer(prices: Sequence[ModelPrice], variant: ModelPrice) -> bool:
    return any(
        value > max(getattr(price, key) or 0 for price in prices)
        for key, value in variant.__dict__.items()
    )
