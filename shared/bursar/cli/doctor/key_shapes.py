"""What keys look like in the clear.

Sources of the formats: the providers' own documentation and what secret scanners look for. A text
in base64 may hold any of these by chance, so each pattern begins where a word does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BEGINS: Final = r"(?<![A-Za-z0-9_-])"
_SHAPES: Final[Mapping[str, str]] = {
    "a virtual key": r"gw-[A-Za-z0-9_-]{64}(?![A-Za-z0-9_-])",
    "an ANY_LLM_KEY": r"ANY\.v[0-9]+\.[^.\s]{1,64}\.[A-Za-z0-9]{2,64}-[A-Za-z0-9+/_-]{40,}",
    "a master key": r"bursar-master-[A-Za-z0-9_-]{20,}",
    "a recovery key": r"bursar-recovery-[A-Za-z0-9_-]{20,}",
    "a key of Anthropic": r"sk-ant-[A-Za-z0-9_-]{20,}",
    "a key of OpenRouter": r"sk-or-[A-Za-z0-9_-]{20,}",
    "a key as of OpenAI": r"sk-[A-Za-z0-9_-]{20,}",
    "a key of Google": r"AIza[A-Za-z0-9_-]{35}",
    "a key of Groq": r"gsk_[A-Za-z0-9]{20,}",
    "a key of xAI": r"xai-[A-Za-z0-9]{20,}",
    "a key of Hugging Face": r"hf_[A-Za-z0-9]{20,}",
    "a key of Perplexity": r"pplx-[A-Za-z0-9]{20,}",
    "a key of NVIDIA": r"nvapi-[A-Za-z0-9_-]{20,}",
    "a key of Fireworks": r"fw_[A-Za-z0-9]{20,}",
    "a key of Replicate": r"r8_[A-Za-z0-9]{20,}",
    "a key of AWS": r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])",
    "a token": r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
}
# These cannot be a part of anything else.
_ANYWHERE: Final[Mapping[str, str]] = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a bearer token": r"(?i:bearer)\s+[A-Za-z0-9._~+/-]{20,}",
}
_PATTERNS: Final = (
    *((what, re.compile(_BEGINS + shape)) for what, shape in _SHAPES.items()),
    *((what, re.compile(shape)) for what, shape in _ANYWHERE.items()),
)
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class Resemblance:
    """A part of a text that looks like a key.

    Attributes:
        what: which kind of key.
        start: where it begins.
        end: behind it.
    """

    what: str
    start: int
    end: int


def resemblances(text: str) -> Iterator[Resemblance]:
    """Every part of a text that looks like a key; the same part may look like several."""
    for what, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            yield Resemblance(what, match.start(), match.end())


def looks_like(text: str) -> str | None:
    """The first kind of key that a text has in it."""
    return next((found.what for found in resemblances(text)), None)


def masked(text: str) -> str:
    """A text without what looks like a key, of which the first characters stay."""
    for found in sorted(resemblances(text), key=lambda one: one.start, reverse=True):
        text = f"{text[: found.start + _SHOWN]}…{text[found.end :]}"
    return text
