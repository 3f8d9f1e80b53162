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
# Vendors count at most 32 tokens a second (Gemini; OpenAI counts 10). MP3 goes down to 8 kbit/s, so
# a token is at least 31 bytes of it; codecs that send nothing in silence go lower.
_BYTES_PER_AUDIO_TOKEN = {"mp3": 30, "wav": 30}
_BYTES_PER_AUDIO_TOKEN_MIN = 1

# OpenAI's tiles: 4o-mini counts 2,833 and 5,667 for each of at most 8 (images and vision guide).
# Anthropic scales a picture down to 4,784 tokens (vision guide).
_IMAGE_TOKENS_MAX_BY_MODEL = {"gpt-4o-mini*": 2_833 + 8 * 5_667, "*claude*": 5_000}
# A photo of 12 megapixels was measured at 14,364 tokens on the model that counts most, gpt-6.
_IMAGE_TOKENS_MAX = 16_384


@dataclass(frozen=True, slots=True)
class Media:
    """What the messages carry beside text.

    Attributes:
        image_tokens: an upper bound for all images together.
        audio_tokens: an upper bound for all audio together.
        inline_bytes: length of what is inlined, which the byte count must leave out.
        unbounded: the first part that could stand for any amount of input, such as a file's id.
    """

    image_tokens: int = 0
    audio_tokens: int = 0
    inline_bytes: int = 0
    unbounded: str | None = None


def measure_media(messages: Iterable[Mapping[str, Any]], model: str) -> Media:
    image_tokens = audio_tokens = inline_bytes = 0
    unbounded = None
    for part in _parts(messages):
        kind = _kind_of(part)
        if kind in _IMAGE_PARTS:
            image_tokens += image_tokens_max(model)
            inline_bytes += _data_url_bytes(part.get(kind))
        elif (audio := _inline_audio(part)) is not None:
            audio_tokens += _audio_tokens_max(*audio)
            inline_bytes += len(audio[0])
        elif kind not in _TEXT_PARTS:
            unbounded = unbounded or kind
    return Media(image_tokens, audio_tokens, inline_bytes, unbounded)


def _kind_of(part: Mapping[str, Any]) -> str:
    """The part's type as text, whatever JSON value it is: no other value is a known type."""
    return str(part.get("type"))


def _parts(messages: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            yield from (part for part in content if isinstance(part, dict))


def image_tokens_max(model: str) -> int:
    """The most that a model counts for one image."""
    for pattern, tokens in _IMAGE_TOKENS_MAX_BY_MODEL.items():
        if fnmatchcase(model.lower(), pattern):
            return tokens
    return _IMAGE_TOKENS_MAX


def _inline_audio(part: Mapping[str, Any]) -> tuple[str, str] | None:
    """An audio part's base64 and its format; None where it is no audio or lies elsewhere."""
    audio = part.get("input_audio")
    if not isinstance(audio, dict) or not isinstance(audio.get("data"), str):
        return None
    return audio["data"], str(audio.get("format"))


def _audio_tokens_max(base64_text: str, audio_format: str) -> int:
    bytes_per_token = _BYTES_PER_AUDIO_TOKEN.get(audio_format, _BYTES_PER_AUDIO_TOKEN_MIN)
    return len(base64_text) * 3 // 4 // bytes_per_token + 1


def _data_url_bytes(image: Any) -> int:
    url = image.get("url") if isinstance(image, dict) else image
    return len(url) if isinstance(url, str) and url.startswith("data:") else 0
