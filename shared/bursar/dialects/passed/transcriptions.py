"""Text from speech: transcriptions, and translations into English.

Sans-IO. Source of the format: OpenAI's API reference for `POST /v1/audio/transcriptions` and
`POST /v1/audio/translations`. They are billed by the length of the audio, or by tokens of audio in
and text out, as the model's price says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.dialects.passed.audio_length import length_of
from bursar.dialects.passed.multipart import MultipartBody
from bursar.dialects.passed.request import PassedRequest
from bursar.domain.errors import InvalidRequest, Unpriceable
from bursar.domain.models import requested_model
from bursar.domain.pricing import Bound
from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from bursar.domain.pricing import Price

# The most of any vendor: Gemini counts 32, OpenAI ten.
_AUDIO_TOKENS_PER_S: Final = 32
# More than anybody says in a second.
_TEXT_TOKENS_PER_S: Final = 10
_TOKENS_OF_PROMPT: Final = 256
# Samples of speakers' voices are of ten seconds at the most.
_SPEAKER: Final = "known_speaker_references"
_SPEAKER_S: Final = 10
# Where vendors let a request name audio that it does not hold.
_ELSEWHERE: Final = ("url", "file_url", "file_id")


class _Fields(msgspec.Struct):
    model: str
    stream: bool | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionRequest(PassedRequest):
    """Audio to be written down.

    Attributes:
        seconds_max: length of the audio, at the most.
        seconds: the exact length, where the file tells it.
        text_bytes: length of all that is no audio.
    """

    seconds_max: int
    seconds: int | None
    text_bytes: int

    def bound(self, price: Price | None, output_tokens_default: int) -> Bound:
        """The most it can use, in seconds and in tokens: the price says what is billed."""
        audio = self.seconds_max * _AUDIO_TOKENS_PER_S
        read = audio + self.text_bytes + _TOKENS_OF_PROMPT
        written = self.seconds_max * _TEXT_TOKENS_PER_S + _TOKENS_OF_PROMPT
        if price is not None:
            read = min(read, price.context_window_tokens or read)
            written = min(written, price.max_output_tokens or written)
        return Bound(
            read,
            written,
            input_audio_tokens=min(audio, read),
            audio_seconds=self.seconds_max,
            takes_output_limit=False,
        )

    def own_usage(self, price: Price | None) -> TokenUsage | None:
        """The audio's length, where the file tells it; a plain text does not."""
        return None if self.seconds is None else TokenUsage(audio_seconds=self.seconds)


def parse_transcription(raw: bytes, content_type: str) -> TranscriptionRequest:
    """Read a request to write down what is said.

    Raises:
        InvalidRequest: not a form, or without a file.
        Unprocessable: a field is missing or of the wrong type.
        Unpriceable: it names audio that it does not hold.
    """
    return _request(raw, content_type, "/v1/audio/transcriptions", "transcriptions")


def parse_translation(raw: bytes, content_type: str) -> TranscriptionRequest:
    """Read a request to write down in English what is said; raises as `parse_transcription`."""
    return _request(raw, content_type, "/v1/audio/translations", "translations")


def _request(raw: bytes, content_type: str, endpoint: str, operation: str) -> TranscriptionRequest:
    body = MultipartBody(raw, content_type)
    fields = body.read(_Fields)
    for name in _ELSEWHERE:
        if name in body:
            raise Unpriceable(
                f"'{name}' cannot be priced: the audio's length is unknown. Send the audio itself"
            )
    audio = [part.content for part in body.files("file")]
    if not audio:
        raise InvalidRequest("'file' is missing: there is nothing to write down", param="file")
    speakers_s = sum(part.name.startswith(_SPEAKER) for part in body.parts) * _SPEAKER_S
    lengths = [length_of(content) for content in audio]
    is_exact = len(lengths) == 1 and lengths[0].is_exact and not speakers_s
    return TranscriptionRequest(
        body=body,
        model=requested_model(fields.model),
        endpoint=endpoint,
        operation=operation,
        content_type=content_type,
        user=fields.user,
        has_user=False,
        is_streamed=bool(fields.stream),
        seconds_max=sum(length.seconds for length in lengths) + speakers_s,
        seconds=lengths[0].seconds if is_exact else None,
        text_bytes=body.text_bytes(),
    )
