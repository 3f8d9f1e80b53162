"""The most tokens that a picture can be, made or shown.

Made: OpenAI's image guide has a table for the first models, by quality and size. The later ones
count patches of a grid whose long side has as many as the quality says and whose number grows with
the area; the guide's calculator does so with 16, 48 and 96 for low, medium and high quality, and
gives 7,024 tokens for a square of 1024 at high quality. What has no published figures, such as the
qualities `xhigh` and `max` and the models of other vendors, is bounded by a grid a third finer.

Shown: an input picture of high fidelity counts up to 6,240 tokens, and its tiles; the newest models
count up to 14,400 for twelve megapixels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

INPUT_IMAGE_TOKENS_MAX: Final = 16_384
PARTIAL_IMAGE_TOKENS: Final = 100
"""What each picture that is shown before it is finished costs (image guide, "partial images")."""

_SIZE = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})")
# The largest square within 8,294,400 pixels, which is the most of any model.
_LARGEST: Final = (2_880, 2_880)
_GRID_PIXELS: Final = 4_000_000
_GRID_PIXELS_MORE: Final = 2_000_000
_FINEST_GRID: Final = 128
# Models that plan a picture in words count those words as output, too; the first ones did not.
_WORDS_MAX: Final = 2_048
_WITHOUT_WORDS: Final = ("gpt-image-1", "gpt-image-1-mini")

_SQUARE, _TALL, _WIDE = "1024x1024", "1024x1536", "1536x1024"
_FIRST_MODELS: Final[Mapping[str, Mapping[str, int]]] = {
    "low": {_SQUARE: 272, _TALL: 408, _WIDE: 400},
    "medium": {_SQUARE: 1_056, _TALL: 1_584, _WIDE: 1_568},
    "high": {_SQUARE: 4_160, _TALL: 6_240, _WIDE: 6_208},
}
_GRIDS: Final[Mapping[str, Mapping[str, int]]] = {
    "gpt-image-2": {"low": 16, "medium": 48, "high": 96, "auto": 96},
    "gpt-image-2-*": {"low": 16, "medium": 48, "high": 96, "auto": 96},
}


@dataclass(frozen=True, slots=True)
class Asked:
    """How the pictures are to be, as the request writes it; None where it does not."""

    model: str
    size: str | None = None
    quality: str | None = None


def output_tokens_max(asked: Asked) -> int:
    """Of one picture."""
    model = asked.model.lower()
    return _drawn_max(model, asked) + (0 if model in _WITHOUT_WORDS else _WORDS_MAX)


def _drawn_max(model: str, asked: Asked) -> int:
    quality = asked.quality or "auto"
    if fnmatchcase(model, "gpt-image-1*"):
        table = _FIRST_MODELS.get(quality, _FIRST_MODELS["high"])
        return table.get(asked.size or "auto", max(table.values()))
    grids = next((_GRIDS[name] for name in _GRIDS if fnmatchcase(model, name)), {})
    return _grid_tokens(_edges(asked.size), grids.get(quality, _FINEST_GRID))


def _edges(size: str | None) -> tuple[int, int]:
    found = _SIZE.fullmatch(size or "")
    return (int(found[1]), int(found[2])) if found else _LARGEST


def _grid_tokens(edges: tuple[int, int], patches: int) -> int:
    """Patches of the long side by those of the short one, weighed by the area."""
    short, long = sorted(edges)
    across = (2 * patches * short + long) // (2 * long)  # rounded to the nearest
    weighed = patches * across * (_GRID_PIXELS_MORE + short * long)
    return -(-weighed // _GRID_PIXELS)
