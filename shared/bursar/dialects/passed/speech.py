"""Speech made from text.

Sans-IO. Source of the format: OpenAI's API reference for `POST /v1/audio/speech`. It is billed by
the characters to be spoken, or by tokens of text in and audio out, as the model's price says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.dialects.openai_errors import OPENAI_ERRORS
from bursar.dialects.passed.request import PassedRequest, json_body
from bursar.dialects.passed.spoken import WORDLESS_ERRORS
from bursar.domain.errors import Unprocessable
from bursar.domain.models import requested_model
from bursar.domain.pricing import Bound
from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from bursar.domain.pricing import Price

_TOKENS_OF_PROMPT: Final = 256
# Audio has twenty tokens a second (realtime guide), and speech about fourteen characters; half a
# second for each leaves room for slow voices and for what is written shorter than it is spoken.
_AUDIO_TOKENS_PER_CHARACTER: Final = 10
_AUDIO_TOKENS_OF_SILENCE: Final = 200


class _Fields(msgspec.Struct):
    model: str
    input: str
    instructions: str | None = None
    stream_format: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest(PassedRequest):
    """A text to be spoken."""

    fields: _Fields

    def bound(self, price: Price | None, output_tokens_default: int) -> Bound:
        """The most it can use, in characters and in tokens: the price says what is billed."""
        text, instructions = self.fields.input, self.fields.instructions or ""
        known = price.max_output_tokens if price else None
        spoken = len(text) * _AUDIO_TOKENS_PER_CHARACTER + _AUDIO_TOKENS_OF_SILENCE
        return Bound(
            _bytes(text) + _bytes(instructions) + _TOKENS_OF_PROMPT,
            spoken if known is None else min(spoken, known),
            generates_audio=True,
            input_characters=len(text),
            takes_output_limit=False,
        )

    def own_usage(self, price: Price | None) -> TokenUsage | None:
        """The characters; audio has no place to count them."""
        return TokenUsage(input_characters=len(self.fields.input))


def parse_speech(raw: bytes, content_type: str) -> SpeechRequest:
    """Read a request.

    Raises:
        InvalidRequest: not JSON.
        Unprocessable: a field is missing or of the wrong type, or there is nothing to say.
    """
    body = json_body(raw, content_type)
    fields = body.read(_Fields)
    if not fields.input:
        raise Unprocessable("input: must not be empty", param="input")
    return SpeechRequest(
        body=body,
        model=requested_model(fields.model),
        endpoint="/v1/audio/speech",
        operation="speech",
        user=fields.user,
        has_user=False,
        # Audio goes on as it comes, too: who listens waits for its beginning only.
        is_streamed=True,
        errors=OPENAI_ERRORS if fields.stream_format == "sse" else WORDLESS_ERRORS,
        fields=fields,
    )


def _bytes(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
