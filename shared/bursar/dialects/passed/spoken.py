"""Speech as it comes: audio, which goes on at once, or events of it.

Nothing in audio tells that it is over or went wrong. It is over when the provider's answer is; one
that breaks is broken off towards the caller as well, for whom there are no words in it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from bursar.dialects.openai_errors import OpenAIErrors
from bursar.dialects.passage_streams import PassedStream
from bursar.dialects.passed.audio_length import spoken_seconds
from bursar.dialects.passed.meters import AUDIO_TOKENS_PER_S

if TYPE_CHECKING:
    from decimal import Decimal

    from bursar.dialects.metering import StreamMeter
    from bursar.dialects.passage import Splitter, StreamReader
    from bursar.dialects.stream_errors import StreamError
    from bursar.domain.unseen import Unseen
    from bursar.domain.usage import TokenUsage

# How events begin; no audio does.
_EVENTS: Final = (b"data:", b"event:", b": ", b":\n")
_LONGEST_START: Final = 6


class WordlessErrors(OpenAIErrors):
    """OpenAI's, for streams in which nothing can be said."""

    def stream_failure(self, code: str) -> bytes:
        return b""


WORDLESS_ERRORS: Final = WordlessErrors()


class AudioStream:
    """Audio on its way; see `passage.StreamReader`."""

    usage: TokenUsage | None = None
    unseen: Unseen | None = None
    reported_cost_usd: Decimal | None = None
    service_tier: str | None = None
    error: StreamError | None = None

    def __init__(self) -> None:
        self._audio = bytearray()
        self.is_done = False

    @property
    def output_bytes(self) -> int:
        """Tokens of what came so far, at the most: audio has nothing that counts them."""
        return math.ceil(spoken_seconds(bytes(self._audio)) * AUDIO_TOKENS_PER_S)

    def feed(self, chunk: bytes | None) -> bytes:
        self.is_done = chunk is None
        self._audio += chunk or b""
        return chunk or b""

    def last_words(self) -> bytes:
        return b""


class SpeechStream:
    """Either, as the first bytes tell; see `passage.StreamReader`."""

    def __init__(self, splitter: Splitter, meter: StreamMeter) -> None:
        self._events = PassedStream(splitter, meter)
        self._chosen: StreamReader | None = None
        self._start = b""

    def feed(self, chunk: bytes | None) -> bytes:
        if self._chosen is not None:
            return self._chosen.feed(chunk)
        self._start += chunk or b""
        if chunk is not None and len(self._start) < _LONGEST_START:
            return b""
        start = self._start
        self._chosen = self._events if start.startswith(_EVENTS) else AudioStream()
        return self._chosen.feed(start) + (self._chosen.feed(None) if chunk is None else b"")

    def last_words(self) -> bytes:
        return self._reader.last_words()

    @property
    def _reader(self) -> StreamReader:
        return self._events if self._chosen is None else self._chosen

    @property
    def usage(self) -> TokenUsage | None:
        return self._reader.usage

    @property
    def unseen(self) -> Unseen | None:
        return self._reader.unseen

    @property
    def output_bytes(self) -> int:
        return self._reader.output_bytes

    @property
    def reported_cost_usd(self) -> Decimal | None:
        return self._reader.reported_cost_usd

    @property
    def service_tier(self) -> str | None:
        return self._reader.service_tier

    @property
    def is_done(self) -> bool:
        return self._reader.is_done

    @property
    def error(self) -> StreamError | None:
        return self._reader.error
