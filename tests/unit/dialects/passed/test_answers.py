"""What is read of whole answers, in the vendors' own shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.embeddings_to_bedrock.wires import BEDROCK_EMBEDDINGS
from bursar.dialects.passed.wires import COUNTED, IMAGES, RERANK, SPEECH, TRANSCRIPTS
from bursar.dialects.request import Terms
from bursar.domain.usage import TokenUsage
from tests.fakes.forms import mp3, wav

if TYPE_CHECKING:
    from bursar.dialects.passage import WireDialect

_WIRE = Path(__file__).parents[4] / "events" / "wire"
_WIRES = {
    "images": IMAGES,
    "transcriptions": TRANSCRIPTS,
    "moderations": COUNTED,
    "embeddings": COUNTED,
    "rerank": RERANK,
    "titan_embeddings": BEDROCK_EMBEDDINGS,
    "cohere_embeddings": BEDROCK_EMBEDDINGS,
    "nova_embeddings": BEDROCK_EMBEDDINGS,
}
_FIXTURES = sorted(
    f"{dialect}/{path.stem}" for dialect in _WIRES for path in (_WIRE / dialect).glob("*.json")
)


@pytest.mark.parametrize("name", _FIXTURES)
def test_a_vendors_own_count_is_read(name: str) -> None:
    fixture = json.loads((_WIRE / f"{name}.json").read_text())
    metered = _WIRES[name.split("/", maxsplit=1)[0]].meter(json.dumps(fixture["answer"]).encode())
    expected = fixture["usage"]
    assert metered.usage == (None if expected is None else TokenUsage(**expected))


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        (b'{"data":[{"url":"a"}],"images":[{"url":"a"}]}', 1),
        (b'{"data":null,"images":[{"url":"a"},{"url":"b"}]}', 2),
        (b'{"data":[{"url":"a"}],"images":7}', 1),
    ],
)
def test_pictures_are_counted_once_wherever_they_stand(answer: bytes, count: int) -> None:
    assert IMAGES.meter(answer).usage == TokenUsage(images=count)


@pytest.mark.parametrize("text", ["Plain text.", "1\n00:00:00,000 --> 00:00:01,000\nHi", "42", ""])
def test_a_transcript_that_is_no_json_is_metered_by_its_length(text: str) -> None:
    metered = TRANSCRIPTS.meter(text.encode())
    assert (metered.usage, metered.output_bytes) == (None, len(text))


def _ogg(seconds: int) -> bytes:
    pages = [
        b"OggS\x00\x02" + (second * 48_000).to_bytes(8, "little") + bytes(3_000)
        for second in range(seconds + 1)
    ]
    return b"".join(pages)


def _adts(seconds: int) -> bytes:
    """Frames of 24,000 Hz, each of 100 bytes."""
    header = (0xFFF1 << 40) | (1 << 38) | (6 << 34) | (1 << 30) | (100 << 13) | (0x7FF << 2)
    return (header.to_bytes(7, "big") + bytes(93)) * (seconds * 24_000 // 1_024)


def _flac(seconds: int, *, rate: int = 24_000) -> bytes:
    info = (rate << 44) | (15 << 36) | (seconds * rate)
    return b"fLaC" + bytes(14) + info.to_bytes(8, "big") + bytes(40_000)


@pytest.mark.parametrize("seconds", [1, 7, 60])
@pytest.mark.parametrize("made", [wav, mp3, _ogg, _adts, _flac])
def test_speech_is_metered_by_its_length_in_any_format(made: Any, seconds: int) -> None:
    metered = SPEECH.meter(made(seconds))
    assert metered.usage is None
    assert seconds * 20.5 <= metered.output_bytes <= seconds * 21


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (wav(10)[44:], 10 * 32_000 * 21 // 8_000),  # samples alone
        (b"ID3" + bytes(9_997), 210),  # as if at the lowest rate there is
        (b"\xff\xfb\xf0\x00" + bytes(9_996), 210),
        (b"\xff\xf1\xff\xff" + bytes(7_996), 21),
        (b"OggS" + bytes(7_496), 210),
        (_flac(0) + bytes(0), 1 + 40_026 * 21 // 2_000),
        (_flac(0, rate=0), 1 + 40_026 * 21 // 2_000),
        (b"", 0),
    ],
)
def test_speech_that_tells_no_length_is_as_long_as_it_can_be(body: bytes, tokens: int) -> None:
    assert SPEECH.meter(body).output_bytes == tokens


@given(st.binary(max_size=300), st.sampled_from([wav(1), mp3(1), _ogg(1), _adts(1), _flac(1), b""]))
def test_whatever_is_said_to_be_speech_is_metered(noise: bytes, audio: bytes) -> None:
    for body in (noise, noise + audio, audio + noise, audio[: len(audio) // 3] + noise):
        assert SPEECH.meter(body).output_bytes >= 0


@pytest.mark.parametrize("wire", [IMAGES, TRANSCRIPTS, COUNTED, RERANK, BEDROCK_EMBEDDINGS])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b'{"usage":{"input_tokens":true,"seconds":"7"},"meta":{"billed_units":7}}',
        b'{"usage":{"input_tokens":-5,"seconds":-1,"prompt_audio_seconds":1e99}}',
        b'{"usage":7,"data":null,"meta":{"billed_units":{"search_units":null}}}',
        b'{"inputTextTokenCount":"6"}',
        b"[" * 100_000,
    ],
)
def test_nonsense_counts_nothing(wire: WireDialect, body: bytes) -> None:
    assert wire.meter(body).usage is None


def test_a_search_with_a_fraction_is_a_whole_one() -> None:
    body = b'{"meta":{"billed_units":{"search_units":1.5},"tokens":{"input_tokens":9}}}'
    assert RERANK.meter(body).usage == TokenUsage(input_tokens=9, rerank_searches=2)


def test_terms_settle_what_a_provider_of_the_same_kind_is_sent() -> None:
    terms = Terms("m", renamed_fields={"top_n": "top_k"})
    assert RERANK.settle_terms({"model": "a:m", "top_n": 1}, terms, False) == {  # noqa: FBT003 (a callable has no keywords)
        "model": "m",
        "top_k": 1,
    }
