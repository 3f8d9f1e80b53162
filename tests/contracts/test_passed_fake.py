"""The fake provider's pictures, speech and transcripts are what OpenAI's own SDK takes for real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from tests.fakes.forms import wav
from tests.fakes.openai_upstream import FakeOpenAI
from tests.fakes.passed_shapes import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "gpt-image-2"


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as started:
        yield started


@pytest.fixture(scope="module")
def client(fake: FakeOpenAI) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=fake.base_url, api_key="sk-test", max_retries=0) as made:
        yield made


def test_pictures_come_with_their_tokens_and_other_models_addresses(client: openai.OpenAI) -> None:
    answer = client.images.generate(model=MODEL, prompt="a red fox", n=2)
    assert answer.usage is not None
    assert (len(answer.data or ()), answer.usage.output_tokens) == (2, 2 * 1_056)
    pictures = client.images.generate(model="flux", prompt="a red fox").data or []
    assert [bool(picture.url) for picture in pictures] == [True]


def test_an_edit_is_told_what_it_was_shown(client: openai.OpenAI) -> None:
    pictures = [("a.png", b"\x89PNG\r\n\x1a\n"), ("b.png", b"\x00\xff")]
    answer = client.images.edit(model=MODEL, prompt="a red fox", image=pictures)
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.image_tokens == 2_000


def test_a_picture_is_streamed_in_events_that_the_sdk_knows(client: openai.OpenAI) -> None:
    stream = client.images.generate(model=MODEL, prompt="a fox", stream=True, partial_images=2)
    events = [event.type for event in stream]
    assert events == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]


def test_speech_is_audio_or_events_of_it(client: openai.OpenAI, fake: FakeOpenAI) -> None:
    asked: dict[str, Any] = {"model": "gpt-4o-mini-tts", "input": "Grüezi!", "voice": "alloy"}
    spoken = client.audio.speech.create(**asked, response_format="wav")
    assert spoken.content.startswith(b"RIFF")
    assert spoken.response.headers["content-type"] == "audio/wav"
    events = client.audio.speech.create(**asked, stream_format="sse").content
    assert events.count(b"speech.audio.delta") == 2
    assert b"speech.audio.done" in events


@pytest.mark.parametrize("kind", ["text", "srt", "vtt"])
def test_a_transcript_may_be_plain(client: openai.OpenAI, kind: Any) -> None:
    said = client.audio.transcriptions.create(
        model="whisper-1", file=("a.wav", wav(2)), response_format=kind
    )
    assert TEXT in str(said)


def test_a_transcript_counts_seconds_or_tokens(client: openai.OpenAI) -> None:
    file = ("a.wav", wav(2.5))
    by_time = client.audio.transcriptions.create(model="whisper-1", file=file)
    by_tokens = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=file)
    assert by_time.usage is not None
    assert by_tokens.usage is not None
    assert (by_time.usage.type, by_tokens.usage.type) == ("duration", "tokens")
    verbose = client.audio.transcriptions.create(
        model="whisper-1", file=file, response_format="verbose_json"
    )
    assert verbose.duration == 2.5


def test_a_transcript_is_streamed_in_events_that_the_sdk_knows(client: openai.OpenAI) -> None:
    stream = client.audio.transcriptions.create(
        model="gpt-4o-transcribe", file=("a.wav", wav(1)), stream=True
    )
    events = [event.type for event in stream]
    assert events[-1] == "transcript.text.done"
    assert events.count("transcript.text.delta") == len(TEXT.split())


def test_a_translation_is_a_transcript(client: openai.OpenAI) -> None:
    with pytest.warns(DeprecationWarning, match="deprecated"):
        said = client.audio.translations.create(model="whisper-1", file=("a.wav", wav(1)))
    assert said.text == TEXT


def test_every_text_is_classified(client: openai.OpenAI) -> None:
    answer = client.moderations.create(model="omni-moderation-latest", input=["a", "b"])
    assert [result.flagged for result in answer.results] == [False, False]


def test_errors_are_the_sdks_own(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError):
        client.images.generate(model="error-429", prompt="a fox")


def test_documents_are_ranked_as_each_vendor_says_it(client: openai.OpenAI) -> None:
    asked = {"query": "q", "documents": ["a b", "c", "d"], "top_n": 2}
    cohere = client.post("/rerank", body={**asked, "model": "rerank-v3.5"}, cast_to=object)
    jina = client.post("/rerank", body={**asked, "model": "jina-reranker-v2"}, cast_to=object)
    assert isinstance(cohere, dict)
    assert isinstance(jina, dict)
    assert cohere["meta"]["billed_units"] == {"search_units": 1}
    assert (len(jina["results"]), jina["usage"]) == (2, {"total_tokens": 7})
