"""How the answers of operations that only pass through are read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bursar.dialects.openai_body import settled
from bursar.dialects.passage import WireDialect
from bursar.dialects.passed.event_stream import Event, EventStreamMeter
from bursar.dialects.passed.large_frames import LargeFrameSplitter
from bursar.dialects.passed.meters import (
    AUDIO_TOKENS_PER_S,
    meter_counted,
    meter_images,
    meter_ranking,
    meter_speech,
    meter_transcript,
)
from bursar.dialects.passed.spoken import SpeechStream
from bursar.dialects.passed.usage import read_counts, read_drawn, read_spoken
from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Callable

    from bursar.dialects.metering import MeteredAnswer, StreamMeter
    from bursar.dialects.request import Terms

# The lowest rate of audio in streams, and base64 makes four letters of three bytes.
_AUDIO_BYTES_PER_S = 750


def _read_last_picture(usage: Any) -> TokenUsage:
    """A stream is of one picture, which its usage comes with."""
    return replace(read_drawn(usage) or TokenUsage(), images=1)


def _image_stream(_: bool) -> StreamMeter:  # noqa: FBT001 (see WireDialect)
    return EventStreamMeter(_read_last_picture, _data_bytes)


def _speech_stream(_: bool) -> StreamMeter:  # noqa: FBT001
    return EventStreamMeter(read_spoken, _audio_tokens)


def _transcript_stream(_: bool) -> StreamMeter:  # noqa: FBT001
    return EventStreamMeter(read_counts, _text_bytes)


def _data_bytes(_: Event, length: int) -> int:
    return length


def _audio_tokens(event: Event, _: int) -> int:
    audio = event.audio if isinstance(event.audio, str) else ""
    return -(-len(audio) * 3 * AUDIO_TOKENS_PER_S // (4 * _AUDIO_BYTES_PER_S))


def _text_bytes(event: Event, length: int) -> int:
    """Of OpenAI's events only deltas bring something new; vLLM's chunks have no type at all."""
    if isinstance(event.delta, str):
        return len(event.delta.encode(errors="surrogatepass"))
    return 0 if event.delta is None and event.type is not None else length


def _settle_terms(document: dict[str, Any], terms: Terms, _: bool) -> dict[str, Any]:  # noqa: FBT001
    return settled({**document, "model": terms.model}, terms)


def _wire(
    meter: Callable[[bytes], MeteredAnswer],
    stream_meter: Callable[[bool], StreamMeter] = _transcript_stream,
) -> WireDialect:
    return WireDialect(meter, stream_meter, LargeFrameSplitter, _settle_terms)


IMAGES = _wire(meter_images, _image_stream)
SPEECH = replace(
    _wire(meter_speech, _speech_stream),
    other_streams=("audio/",),
    reader=SpeechStream,
)
TRANSCRIPTS = _wire(meter_transcript, _transcript_stream)
RERANK = _wire(meter_ranking)
COUNTED = _wire(meter_counted)
"""Embeddings and moderations: nothing is generated, and nothing is streamed."""
