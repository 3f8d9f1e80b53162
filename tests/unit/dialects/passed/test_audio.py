"""Speech and transcripts: how much there can be of it, and what of that a request itself tells."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.passed.audio_length import length_of, wav_seconds
from bursar.dialects.passed.frames import mp3_seconds
from bursar.dialects.passed.speech import SpeechRequest, parse_speech
from bursar.dialects.passed.transcriptions import (
    TranscriptionRequest,
    parse_transcription,
    parse_translation,
)
from bursar.dialects.request import Terms
from bursar.domain.errors import InvalidRequest, Unpriceable, Unprocessable
from bursar.domain.price_rates import Unit
from bursar.domain.pricing import cost_of, quote
from bursar.domain.usage import TokenUsage
from tests.fakes.forms import CONTENT_TYPE, Field, form, mp3, wav
from tests.unit.dialects.passed.prices import by_the_piece, by_tokens

JSON = "application/json"


def _speech(**fields: Any) -> SpeechRequest:
    body = {"model": "openai:tts-1", "input": "Grüße!", "voice": "alloy"} | fields
    return parse_speech(msgspec.json.encode(body), JSON)


def _transcription(content: bytes, *more: Field) -> TranscriptionRequest:
    file: Field = ("file", "a.wav", "audio/wav", content)
    return parse_transcription(form([("model", "openai:whisper-1"), file, *more]), CONTENT_TYPE)


def test_speech_goes_on_as_it_came_but_for_who_pays() -> None:
    raw = b'{"model":"openai:tts-1","input":"a","voice":"alloy","user":"alice","speed":1.50}'
    request = parse_speech(raw, JSON)
    assert request.user == "alice"
    assert request.rewritten(Terms("tts-1")) == (
        b'{"model":"tts-1","input":"a","voice":"alloy","speed":1.50}'
    )
    assert (request.operation, request.endpoint) == ("speech", "/v1/audio/speech")


def test_speech_by_the_character_costs_what_the_request_shows() -> None:
    request, price = _speech(), by_the_piece(Unit.CHARACTER)
    bound, own = request.bound(price, 1), request.own_usage(price)
    assert bound.input_characters == len("Grüße!")
    assert own == TokenUsage(input_characters=len("Grüße!"))
    assert quote(bound, price) == cost_of(own, price) > 0


def test_speech_by_tokens_has_room_for_slow_voices() -> None:
    text = "a" * 4_096
    bound = _speech(input=text, instructions="slowly").bound(by_tokens(), 1)
    assert bound.generates_audio
    # What OpenAI estimates for so long a text, at 1,250 tokens a minute and 750 characters.
    assert bound.output_tokens > 5 * 1_250 * len(text) / 750
    assert bound.input_tokens >= len(text) + len("slowly")
    assert not bound.takes_output_limit


def test_an_administrators_limit_of_speech_holds() -> None:
    assert _speech(input="a" * 99).bound(by_tokens(max_output_tokens=50), 1).output_tokens == 50


def test_speech_streams_and_says_so_if_it_fails_where_it_can() -> None:
    assert _speech().is_streamed
    assert _speech().errors.stream_failure("upstream_broken") == b""
    events = _speech(stream_format="sse")
    assert events.is_streamed
    assert b"upstream_broken" in events.errors.stream_failure("upstream_broken")


def test_speech_of_nothing_is_refused() -> None:
    with pytest.raises(Unprocessable, match="input"):
        _speech(input="")


_FRAMES = mp3(60)[mp3(60).index(b"\xff\xfb") :]


def _tagged(version: bytes, size: bytes, content: bytes) -> bytes:
    return b"ID3" + version + size + content


def _size(count: int, spoilt: int = 0) -> bytes:
    """A tag's size, seven bits a byte, whose eighth must not be set."""
    return bytes(count >> shift & 0x7F | spoilt for shift in (21, 14, 7, 0))


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (wav(0.1), 1),
        (wav(9.9), 10),
        (wav(10, rate=48_000, channels=2, bits=24), 10),
        (wav(10).replace(b"data", b"LIST"), 11),  # a chunk that is not known may be sound
        (mp3(60), 60),
        (mp3(60) + b"TAG" + bytes(125), 60),
        (mp3(60) + b"more of it", 958),  # anything but frames, and the lowest rate is taken
        (mp3(60).replace(b"\xff\xfb\x90", b"\xff\xfb\x00"), 958),
        (b"ID3" + bytes(10_000), 11),
        (_tagged(b"\x04\0\0", _size(130), bytes(130) + _FRAMES), 60),
        # To a decoder these are no tags, and what stands in them is played.
        (_tagged(b"\x04\0\0", _size(len(_FRAMES) - 417, 0x80), _FRAMES), 958),
        (_tagged(b"\xff\0\0", _size(len(_FRAMES) - 417), _FRAMES), 958),
        # Nor is it known which of two formats is believed.
        (wav(10).replace(b"data", b"fmt \x10\0\0\0" + bytes(16) + b"data"), 427),
        (b"\xff\xfb" + bytes(998), 1),
        (b"fLaC" + bytes(4_000), 3),
        (b"OggS" + bytes(1_500), 3),
        (b"", 0),
    ],
)
def test_audio_is_as_long_as_its_bytes_can_be(content: bytes, seconds: int) -> None:
    assert length_of(content).seconds == seconds


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"RIFX"),
        (8, b"AVI "),
        (12, b"JUNK"),
        (20, b"\x02\x00"),  # compressed samples
        (28, b"\xff\xff\xff\x7f"),  # more bytes a second than there are samples
        (32, b"\x00\x01"),  # blocks that the samples do not fill
        (34, b"\x00\x00"),  # samples of nothing
    ],
)
def test_a_header_that_contradicts_itself_tells_no_length(at: int, value: bytes) -> None:
    audio = wav(60)
    forged = audio[:at] + value + audio[at + len(value) :]
    assert wav_seconds(forged) is None
    assert length_of(forged).seconds > 60


@given(
    milliseconds=st.integers(0, 5_000),
    rate=st.sampled_from([8_000, 16_000, 44_100]),
    channels=st.integers(1, 2),
)
def test_a_wav_files_length_is_never_told_too_short(
    milliseconds: int, rate: int, channels: int
) -> None:
    audio = wav(milliseconds / 1000, rate=rate, channels=channels)
    samples = (len(audio) - 44) // (2 * channels)
    assert wav_seconds(audio) == pytest.approx(samples / rate)
    assert length_of(audio).seconds >= samples / rate


def test_a_transcription_goes_on_as_the_form_it_came_in_but_for_who_pays() -> None:
    audio: Field = ("file", "a.wav", "audio/wav", wav(0.01))
    raw = form([("user", "alice"), audio, ("model", "openai:whisper-1")])
    request = parse_transcription(raw, CONTENT_TYPE)
    assert request.user == "alice"
    assert request.rewritten(Terms("whisper-1")) == form([audio, ("model", "whisper-1")])
    assert (request.operation, request.content_type) == ("transcriptions", CONTENT_TYPE)


def test_a_transcription_by_time_costs_what_the_file_tells() -> None:
    request, price = _transcription(wav(59.5)), by_the_piece(Unit.AUDIO)
    own = request.own_usage(price)
    assert own == TokenUsage(audio_seconds=60)
    assert quote(request.bound(price, 1), price) == cost_of(own, price) > 0


def test_an_mp3_file_tells_its_length_by_its_frames() -> None:
    request = _transcription(mp3(59.99))
    assert request.own_usage(None) == TokenUsage(audio_seconds=60)


@pytest.mark.parametrize(
    ("header", "length", "seconds"),
    [
        (b"\xff\xfb\x14\x00", 96, 1_152 / 48_000),  # 32 kbit/s
        (b"\xff\xf3\x84\x00", 192, 576 / 24_000),  # MPEG-2, 64 kbit/s
        (b"\xff\xe3\x18\x00", 72, 576 / 8_000),  # MPEG-2.5, 8 kbit/s
        (b"\xff\xfb\x92\x00", 418, 1_152 / 44_100),  # padded
    ],
)
def test_frames_of_every_version_of_mpeg_are_known(
    header: bytes, length: int, seconds: float
) -> None:
    audio = (header + bytes(length - 4)) * 1_000
    assert mp3_seconds(audio) == pytest.approx(1_000 * seconds)


def test_compressed_audio_tells_no_exact_length() -> None:
    request = _transcription(b"OggS" + bytes(7_500))
    assert request.own_usage(by_the_piece(Unit.AUDIO)) is None
    assert request.bound(None, 1).audio_seconds == 11


def test_a_transcription_by_tokens_is_bound_by_its_length() -> None:
    bound = _transcription(wav(59.9), ("prompt", "x" * 500)).bound(by_tokens(), 1)
    assert bound.input_audio_tokens == 60 * 32
    assert bound.input_tokens >= 60 * 32 + 500
    assert bound.output_tokens >= 60 * 10


def test_a_models_limits_bound_a_transcription() -> None:
    price = by_tokens(context_window_tokens=16_000, max_output_tokens=2_000)
    bound = _transcription(wav(900)).bound(price, 1)
    assert (bound.input_tokens, bound.input_audio_tokens) == (16_000, 16_000)
    assert bound.output_tokens == 2_000


def test_samples_of_speakers_are_audio_too() -> None:
    reference = ("known_speaker_references[]", "data:audio/wav;base64,AAAA")
    request = _transcription(wav(5.9), reference, reference)
    assert request.bound(None, 1).audio_seconds == 6 + 2 * 10
    assert request.own_usage(None) is None


@pytest.mark.parametrize("name", ["url", "file_url", "file_id"])
def test_audio_that_is_elsewhere_has_no_price(name: str) -> None:
    raw = form([("model", "groq:whisper"), (name, "https://a.example/a.mp3")])
    with pytest.raises(Unpriceable, match="Send the audio itself"):
        parse_transcription(raw, CONTENT_TYPE)


def test_a_translation_is_the_same_on_another_route() -> None:
    raw = form([("model", "openai:whisper-1"), ("file", "a.wav", "audio/wav", wav(1))])
    request = parse_translation(raw, CONTENT_TYPE)
    assert (request.operation, request.endpoint) == ("translations", "/v1/audio/translations")


def test_a_transcription_needs_a_file_in_a_form() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_transcription(form([("model", "openai:whisper-1")]), CONTENT_TYPE)
    assert caught.value.param == "file"
    with pytest.raises(InvalidRequest, match="takes multipart/form-data"):
        parse_transcription(b"{}", JSON)


def test_a_transcription_streams_when_asked() -> None:
    assert _transcription(wav(1), ("stream", "true")).is_streamed
    assert not _transcription(wav(1), ("stream", "False")).is_streamed
