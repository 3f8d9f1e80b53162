"""Upper bounds for what a chat message carries beside text.

Text is bounded by its bytes: a byte-level tokenizer never makes more tokens than bytes. Base64 is
not text, so inlined media are taken out of the count and bounded by what vendors document.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TEXT_PARTS = frozenset({"text", "refusal", "thinking", "reasoning", "input_text", "output_text"})
_IMAGE_PARTS = frozenset({"image_url", "input_image"})
_AUDIO_PARTS = frozenset({"input_audio", "audio_url"})

# OpenAI's tiles: 4o-mini counts 2,833 and 5,667 for each of at most 8 (images and vision guide).
_IMAGE_TOKENS_MAX_BY_MODEL = {"gpt-4o-mini*": 2_833 + 8 * 5_667}
_IMAGE_TOKENS_MAX = 5_000


@dataclass(frozen=True, slots=True)
class Media:
    """What the messages carry beside text.

    Attributes:
        tokens: an upper bound for all images together.
        inline_bytes: length of the data URLs, which the byte count must leave out.
        has_audio: audio is billed at rates of its own.
        unbounded: the first part that could stand for any amount of input, such as a file's id.
    """

    tokens: int = 0
    inline_bytes: int = 0
    has_audio: bool = False
    unbounded: str | None = None


def measure_media(messages: Iterable[Mapping[str, Any]], model: str) -> Media:
    tokens = inline_bytes = 0
    has_audio = False
    unbounded = None
    for part in _parts(messages):
        kind = _kind_of(part)
        if kind in _IMAGE_PARTS:
            tokens += _image_tokens_max(model)
            inline_bytes += _data_url_bytes(part.get(kind))
        elif kind in _AUDIO_PARTS:
            has_audio = True
        elif kind not in _TEXT_PARTS:
            unbounded = unbounded or kind
    return Media(tokens, inline_bytes, has_audio, unbounded)


def _kind_of(part: Mapping[str, Any]) -> str:
    """The part's type as text, whatever JSON value it is: no other value is a known type."""
    return str(part.get("type"))


def _parts(messages: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            yield from (part for part in content if isinstance(part, dict))


def _image_tokens_max(model: str) -> int:
    for pattern, tokens in _IMAGE_TOKENS_MAX_BY_MODEL.items():
        if fnmatchcase(model.lower(), pattern):
            return tokens
    return _IMAGE_TOKENS_MAX


def _data_url_bytes(image: Any) -> int:
    url = image.get("url") if isinstance(image, dict) else image
    return len(url) if isinstance(url, str) and url.startswith("data:") else 0
