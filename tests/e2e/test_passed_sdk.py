"""What only passes through, by the official openai SDK over sockets, at the catalogue's prices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
from openai import OpenAI

from tests.e2e.deployment import PROVIDER_KEY
from tests.fakes.forms import mp3, wav
from tests.fakes.passed_shapes import PNG, TEXT
from tests.fakes.uploads import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.deployment import Deployment, Holder
    from tests.fakes.openai_upstream import FakeOpenAI

MILLION = Decimal(1_000_000)


@pytest.fixture
def holder(served: Deployment) -> Holder:
    return served.holder("1")


@pytest.fixture
def client(served: Deployment, holder: Holder) -> Iterator[OpenAI]:
    with OpenAI(api_key=holder.key, base_url=f"{served.gateway.url}/v1", max_retries=0) as made:
        yield made


def charged(served: Deployment, holder: Holder) -> Decimal:
    """What the only request cost, once nothing of it is held."""
    served.check_closed(holder)
    return served.account(holder).committed_usd


def test_a_picture_is_charged_by_its_tokens(
    served: Deployment, client: OpenAI, holder: Holder, upstream: FakeOpenAI
) -> None:
    answer = client.images.generate(
        model="openai:gpt-image-2", prompt="a red fox", quality="medium", size="1024x1024"
    )
    assert [image.b64_json for image in answer.data or ()] == [PNG]
    assert upstream.last.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert charged(served, holder) == (3 * 5 + 1_056 * 30) / MILLION


def test_pictures_are_edited_as_they_were_uploaded(
    served: Deployment, client: OpenAI, holder: Holder, upstream: FakeOpenAI
) -> None:
    picture = bytes(range(256)) * 100
    client.images.edit(
        model="openai:gpt-image-2",
        prompt="ein Füchslein",
        image=[("a.png", picture), ("b.png", picture[::-1])],
        quality="low",
        size="1024x1024",
    )
    got = fields_of(upstream.last)
    assert (got["model"], got["prompt"]) == ("gpt-image-2", "ein Füchslein")
    assert [image.content for image in got["image"]] == [picture, picture[::-1]]
    assert charged(served, holder) == (2 * 5 + 2_000 * 8 + 1_056 * 30) / MILLION


def test_a_picture_is_seen_while_it_is_made(
    served: Deployment, client: OpenAI, holder: Holder
) -> None:
    stream = client.images.generate(
        model="openai:gpt-image-2",
        prompt="a red fox",
        quality="low",
        size="1024x1024",
        stream=True,
        partial_images=2,
    )
    kinds = [event.type for event in stream]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    assert charged(served, holder) == (3 * 5 + 1_256 * 30) / MILLION


@pytest.mark.parametrize("kind", ["mp3", "wav", "pcm"])
def test_speech_is_heard_while_it_comes_and_costs_its_characters(
    served: Deployment, client: OpenAI, holder: Holder, kind: Any
) -> None:
    with client.audio.speech.with_streaming_response.create(
        model="openai:tts-1", input="Grüezi mitenand!", voice="alloy", response_format=kind
    ) as spoken:
        audio = b"".join(spoken.iter_bytes())
    assert audio == {"mp3": mp3(2), "wav": wav(2, rate=24_000)}.get(kind, bytes(96_000))
    assert charged(served, holder) == 16 * 15 / MILLION


def test_speech_that_the_provider_breaks_off_does_not_look_whole(
    served: Deployment, client: OpenAI, holder: Holder
) -> None:
    served.price("openai:fin-9000", output="0", rates={"character": "15"})
    with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError)):
        client.audio.speech.create(model="openai:fin-9000", input="Grüezi!", voice="alloy")
    assert charged(served, holder) == 7 * 15 / MILLION


@pytest.mark.parametrize("kind", ["json", "verbose_json", "text", "srt", "vtt"])
def test_a_transcript_costs_its_seconds_in_any_format(
    served: Deployment, client: OpenAI, holder: Holder, kind: Any
) -> None:
    said = client.audio.transcriptions.create(
        model="openai:whisper-1", file=("a.wav", wav(2.5)), response_format=kind
    )
    assert TEXT in str(said)
    assert charged(served, holder) == 3 * Decimal("0.36") / 3_600


def test_a_transcript_is_read_while_it_is_written(
    served: Deployment, client: OpenAI, holder: Holder
) -> None:
    stream = client.audio.transcriptions.create(
        model="openai:gpt-4o-transcribe", file=("a.wav", wav(2)), stream=True
    )
    events = [event.type for event in stream]
    assert events[-1] == "transcript.text.done"
    assert charged(served, holder) == (20 * 6 + 4 * 10) / MILLION


def test_a_moderation_is_free(served: Deployment, client: OpenAI, holder: Holder) -> None:
    client.moderations.create(model="openai:omni-moderation-latest", input="hello")
    assert charged(served, holder) == Decimal(0)
    (row,) = served.usage(holder)
    assert row["status"] == "success"


def test_a_budget_that_cannot_hold_a_picture_refuses_it(
    served: Deployment, upstream: FakeOpenAI
) -> None:
    poor = served.holder("0.001")
    before = len(upstream.requests)
    with (
        OpenAI(api_key=poor.key, base_url=f"{served.gateway.url}/v1", max_retries=0) as client,
        pytest.raises(openai.PermissionDeniedError, match="exceeded budget"),
    ):
        client.images.generate(model="openai:gpt-image-2", prompt="a red fox")
    assert len(upstream.requests) == before
    assert served.usage(poor) == []
