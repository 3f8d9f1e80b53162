"""Streams of pictures, speech and transcripts, split at every byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.passage_streams import PassedStream
from bursar.dialects.passed.large_frames import LargeFrameSplitter
from bursar.dialects.passed.wires import IMAGES, SPEECH, TRANSCRIPTS
from bursar.dialects.sse import FrameSplitter, data_of
from bursar.domain.errors import UpstreamBroken
from bursar.domain.usage import TokenUsage
from tests.fakes.forms import mp3, wav

if TYPE_CHECKING:
    from bursar.dialects.passage import StreamReader

_WIRE = Path(__file__).parents[4] / "events" / "wire"
_PICTURE = TokenUsage(13, 1_256, output_image_tokens=1_256, images=1)
_STREAMS = {
    "images/generation": (IMAGES, _PICTURE),
    "images/edit": (IMAGES, _PICTURE),
    "speech/stream": (SPEECH, TokenUsage(14, 101, output_audio_tokens=101)),
    "transcriptions/stream": (TRANSCRIPTS, TokenUsage(14, 5, input_audio_tokens=10)),
}


def _stream(name: str) -> bytes:
    return (_WIRE / f"{name}.sse").read_bytes()


def _reader(name: str) -> StreamReader:
    wire, _ = _STREAMS[name]
    return (wire.reader or PassedStream)(wire.splitter(), wire.stream_meter(False))  # noqa: FBT003 (a callable has no keywords)


@pytest.mark.parametrize("name", _STREAMS)
def test_a_stream_cut_anywhere_passes_but_for_its_end_and_is_counted(name: str) -> None:
    raw, (_, usage) = _stream(name), _STREAMS[name]
    *others, last = FrameSplitter().feed(raw)
    for cut in range(len(raw) + 1):
        reader = _reader(name)
        passed = reader.feed(raw[:cut]) + reader.feed(raw[cut:]) + reader.feed(None)
        assert passed == b"".join(others)
        assert reader.last_words() == last
        assert (reader.is_done, reader.error, reader.usage) == (True, None, usage)


@pytest.mark.parametrize("audio", [wav(0.02, rate=8_000), mp3(0.1), bytes(9), b"  \n", b"da", b""])
def test_audio_cut_anywhere_goes_on_as_it_came_and_is_measured(audio: bytes) -> None:
    for cut in range(min(len(audio), 300) + 1):
        reader = _reader("speech/stream")
        passed = [reader.feed(audio[:cut]), reader.feed(audio[cut:])]
        assert not reader.is_done
        passed.append(reader.feed(None))
        assert b"".join(passed) == audio
        assert (reader.is_done, reader.error, reader.usage) == (True, None, None)
        assert (reader.last_words(), reader.service_tier) == (b"", None)
        assert reader.reported_cost_usd is None
        assert reader.output_bytes == SPEECH.meter(audio).output_bytes


def test_audio_goes_on_before_its_end_is_there() -> None:
    reader = _reader("speech/stream")
    assert reader.feed(b"RIFF....") == b"RIFF...."
    assert reader.feed(b"\n") == b"\n"


@pytest.mark.parametrize("name", _STREAMS)
def test_a_stream_that_ends_before_its_last_event_is_not_done(name: str) -> None:
    *others, _ = FrameSplitter().feed(_stream(name))
    reader = _reader(name)
    assert reader.feed(b"".join(others)) == b"".join(others)
    assert (reader.is_done, reader.usage, reader.last_words()) == (False, None, b"")
    assert reader.output_bytes > 0


@pytest.mark.parametrize("name", _STREAMS)
def test_an_event_without_its_blank_line_at_the_end_counts(name: str) -> None:
    reader = _reader(name)
    reader.feed(_stream(name).rstrip())
    reader.feed(None)
    assert reader.is_done


def test_blank_lines_between_events_are_no_beginning_of_an_answer() -> None:
    reader = _reader("images/generation")
    assert reader.feed(b"\n\n\r\n\r\n") == b""


def test_done_ends_a_stream_whose_last_event_is_of_another_kind() -> None:
    reader = _reader("transcriptions/stream")
    chunk = b'data: {"object":"transcription.chunk","choices":[]}\n\n'
    assert reader.feed(chunk + b"data: [DONE]\n\n") == chunk
    assert (reader.is_done, reader.last_words()) == (True, b"data: [DONE]\n\n")


def test_chunks_that_count_nothing_are_charged_as_what_they_bring() -> None:
    reader = _reader("transcriptions/stream")
    said = "Grüezi mitenand"
    chunk = {"object": "transcription.chunk", "choices": [{"delta": {"content": said}}]}
    reader.feed(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())
    assert reader.usage is None
    assert reader.output_bytes > len(said.encode())


def test_what_follows_the_last_event_is_left_out() -> None:
    reader = _reader("speech/stream")
    raw = _stream("speech/stream")
    passed = reader.feed(raw + b"data: [DONE]\n\n: bye\n\n")
    assert b"bye" not in passed
    assert b"DONE" not in reader.last_words()


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"type": "error", "error": {"code": "moderation_blocked"}}, "moderation_blocked"),
        ({"type": "error", "message": "busy"}, "busy"),
        ({"error": {"message": "overloaded"}}, "overloaded"),
    ],
)
def test_an_error_is_for_the_books_only(event: dict[str, object], says: str) -> None:
    reader = _reader("images/generation")
    assert reader.feed(b"data: " + json.dumps(event).encode() + b"\n\n") == b""
    assert reader.error is not None
    assert says in reader.error.said


def test_a_picture_whose_tokens_nobody_counted_is_not_one_for_nothing() -> None:
    reader = _reader("images/generation")
    reader.feed(b'data: {"type":"image_generation.completed","b64_json":"AAAA"}\n\n')
    assert (reader.is_done, reader.usage) == (True, None)
    assert reader.output_bytes > 0


def test_comments_pass_and_what_is_unreadable_is_metered_by_its_length() -> None:
    reader = _reader("transcriptions/stream")
    frames = b": hello\n\ndata: {no json\n\n"
    assert reader.feed(frames) == frames
    assert reader.output_bytes == len("{no json")


def test_a_transcripts_deltas_are_counted_in_bytes() -> None:
    reader = _reader("transcriptions/stream")
    for delta in ('"é"', "null", '{"text":"abc"}'):
        reader.feed(f'data: {{"type":"x","delta":{delta}}}\n\n'.encode())
    assert reader.output_bytes >= len("é".encode()) + len("abc")


@given(st.binary(max_size=3_000))
def test_audio_in_events_is_never_counted_short(audio: bytes) -> None:
    """A second of audio has at least 750 bytes, and 20.8 tokens."""
    event = {"type": "speech.audio.delta", "audio": audio.hex()}  # no shorter than base64
    reader = _reader("speech/stream")
    reader.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    assert reader.output_bytes >= 20.8 * len(audio) / 750


def test_events_can_be_taken_for_translation() -> None:
    wire, usage = _STREAMS["speech/stream"]
    meter = wire.stream_meter(False)  # noqa: FBT003 (a callable has no keywords)
    frames = [b": hello\n\n", *FrameSplitter().feed(_stream("speech/stream")), b"data: [DONE]\n\n"]
    taken = [meter.take(frame) for frame in frames]
    assert [event and event["type"] for event in taken] == [
        None,
        "speech.audio.delta",
        "speech.audio.delta",
        "speech.audio.done",
        None,
    ]
    assert meter.usage == usage


@given(st.lists(st.binary(max_size=9) | st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"a"])))
def test_large_frames_are_cut_where_small_ones_are(chunks: list[bytes]) -> None:
    large, small = LargeFrameSplitter(), FrameSplitter()
    for chunk in chunks:
        assert large.feed(chunk) == small.feed(chunk)
    assert large.flush() == small.flush()


def test_a_picture_of_many_megabytes_passes_in_one_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    splitter = LargeFrameSplitter()
    piece = b"A" * 65_536
    for _ in range(17 * 16):  # more than a splitter of short events takes
        assert splitter.feed(piece) == []
    (frame,) = splitter.feed(b"\n\n")
    assert data_of(b"data:" + frame[:5] + b"\n\n") == b"AAAAA"
    assert len(frame) == 17 * 1024 * 1024 + 2


def test_an_event_without_end_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bursar.dialects.passed.large_frames._FRAME_BYTES_MAX", 100)
    with pytest.raises(UpstreamBroken):
        LargeFrameSplitter().feed(bytes(101))
