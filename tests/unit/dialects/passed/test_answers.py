"""What is read of whole answers, in the vendors' own shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.dialects.embeddings_to_bedrock.wires import BEDROCK_EMBEDDINGS
from bursar.dialects.passed.wires import COUNTED, IMAGES, RERANK, SPEECH, TRANSCRIPTS
from bursar.dialects.request import Terms
from bursar.domain.usage import TokenUsage
from tests.fakes.forms import wav

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


@pytest.mark.parametrize("text", ["Plain text.", "1\n00:00:00,000 --> 00:00:01,000\nHi", "42", ""])
def test_a_transcript_that_is_no_json_is_metered_by_its_length(text: str) -> None:
    metered = TRANSCRIPTS.meter(text.encode())
    assert (metered.usage, metered.output_bytes) == (None, len(text))


def test_speech_is_metered_by_how_long_it_can_be() -> None:
    assert SPEECH.meter(wav(1.9)).output_bytes == 2 * 25
    compressed = SPEECH.meter(b"ID3" + bytes(15_997))
    assert (compressed.usage, compressed.output_bytes) == (None, 16 * 25)


@given(seconds=st.integers(1, 20), rate=st.sampled_from([8_000, 24_000]))
def test_no_fewer_tokens_of_speech_are_metered_than_there_are(seconds: int, rate: int) -> None:
    audio = wav(seconds, rate=rate)
    for body in (audio, audio[44:]):
        assert SPEECH.meter(body).output_bytes >= 20.9 * seconds


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
