"""Pictures, speech, transcripts, moderations and rankings by OpenAI's own SDK, through the gateway.

The SDK speaks to the ASGI app, and the gateway over real sockets to a provider.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest

from bursar.dialects.passed.speech import parse_speech
from bursar.domain.price_rates import Unit
from bursar.domain.usage import Status
from bursar.services.relay import BrokenOff
from functions.proxy.app import create_app
from tests.fakes.forms import wav
from tests.fakes.openai_upstream import FakeOpenAI
from tests.fakes.passed_shapes import PNG, TEXT
from tests.fakes.passed_world import PassedWorld
from tests.fakes.uploads import Upload, fields_of
from tests.fakes.world import PROVIDER_KEY, drained

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bursar.domain.usage import UsageRecord

MILLION = Decimal(1_000_000)
PNG_BYTES = b"\x89PNG\r\n\x1a\n\x00\xff"


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as started:
        yield started


@pytest.fixture
async def world(fake: FakeOpenAI) -> AsyncIterator[PassedWorld]:
    made = PassedWorld(fake)
    await made.price_all()
    yield made
    await made.client.close()


@pytest.fixture
async def http(world: PassedWorld) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(world.proxy_services(request_bytes_max=1_000_000))
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


@pytest.fixture
async def client(world: PassedWorld, http: httpx2.AsyncClient) -> AsyncIterator[openai.AsyncOpenAI]:
    key = await world.someone("5")
    async with openai.AsyncOpenAI(
        base_url="http://gateway/v1", api_key=key, http_client=http, max_retries=0
    ) as made:
        yield made


async def _settled(world: PassedWorld) -> tuple[UsageRecord, Decimal]:
    """The only record, and what it cost, once nothing of it is held."""
    record, balance = await world.record(), await world.balance()
    assert record.cost_usd is not None
    assert balance.committed_usd == record.cost_usd
    return record, record.cost_usd


async def test_pictures_are_charged_by_their_tokens(
    world: PassedWorld, client: openai.AsyncOpenAI, fake: FakeOpenAI
) -> None:
    answer = await client.images.generate(
        model="openai:gpt-image-2", prompt="a red fox", n=2, size="1024x1024", quality="medium"
    )
    assert [image.b64_json for image in answer.data or ()] == [PNG, PNG]
    assert fake.last.json()["model"] == "gpt-image-2"
    assert fake.last.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    record, cost_usd = await _settled(world)
    assert cost_usd == (3 * 5 + 2 * 1_056 * 30) / MILLION
    assert (record.endpoint, record.is_estimated) == ("/v1/images/generations", False)


async def test_pictures_by_the_piece_are_counted(
    world: PassedWorld, client: openai.AsyncOpenAI
) -> None:
    await client.images.generate(model="openai:flux", prompt="a red fox", n=3)
    record, cost_usd = await _settled(world)
    assert (cost_usd, record.is_estimated) == (Decimal("0.12"), False)


async def test_an_edit_reaches_the_provider_as_the_form_it_was(
    world: PassedWorld, client: openai.AsyncOpenAI, fake: FakeOpenAI
) -> None:
    await client.images.edit(
        model="openai:gpt-image-2",
        prompt="ein Füchslein",
        image=[("a.png", PNG_BYTES), ("b.png", b"")],
        mask=("m.png", b"--"),
    )
    got = fields_of(fake.last)
    assert (got["model"], got["prompt"]) == ("gpt-image-2", "ein Füchslein")
    assert [image.content for image in got["image"]] == [PNG_BYTES, b""]
    assert isinstance(got["mask"], Upload)
    _, cost_usd = await _settled(world)
    assert cost_usd == (2 * 5 + 3_000 * 8 + 1_056 * 30) / MILLION


async def test_a_streamed_picture_is_charged_before_its_last_event(
    world: PassedWorld, client: openai.AsyncOpenAI
) -> None:
    stream = await client.images.generate(
        model="openai:gpt-image-2", prompt="a red fox", stream=True, partial_images=2
    )
    kinds = []
    async for event in stream:
        kinds.append(event.type)
        if event.type == "image_generation.completed":
            _, cost_usd = await _settled(world)
            assert cost_usd == (3 * 5 + 1_256 * 30) / MILLION
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("pcm", "audio/pcm")],
)
async def test_speech_comes_as_the_bytes_it_is_and_costs_its_characters(
    world: PassedWorld, client: openai.AsyncOpenAI, kind: Any, content_type: str
) -> None:
    spoken = await client.audio.speech.create(
        model="openai:tts-1", input="Grüezi mitenand!", voice="alloy", response_format=kind
    )
    assert spoken.response.headers["content-type"] == content_type
    assert len(spoken.content) > 1_000
    record, cost_usd = await _settled(world)
    assert cost_usd == 16 * 15 / MILLION
    assert (record.is_estimated, record.status) == (False, Status.SUCCESS)


async def test_speech_that_breaks_is_broken_off_and_charged(world: PassedWorld) -> None:
    key = await world.someone("5")
    await world.price("openai:fin-9000", rates={Unit.CHARACTER: Decimal(15)})
    answer = await world.completion.serve(
        "req_1",
        {"authorization": f"Bearer {key}"},
        b'{"model":"openai:fin-9000","input":"Hello!","voice":"alloy"}',
        lambda raw: parse_speech(raw, "application/json"),
    )
    with pytest.raises(BrokenOff):
        await drained(answer)
    record, cost_usd = await _settled(world)
    assert record.status is Status.ERROR
    assert cost_usd > 0


async def test_speech_by_tokens_is_charged_by_its_length_where_nothing_counts_it(
    world: PassedWorld, client: openai.AsyncOpenAI
) -> None:
    text = "Grüezi mitenand! " * 10
    await client.audio.speech.create(
        model="openai:gpt-4o-mini-tts", input=text, voice="alloy", response_format="wav"
    )
    record, cost_usd = await _settled(world)
    spoken = -(-len(text) // 14) * 20
    assert record.is_estimated
    assert spoken * 12 / MILLION <= cost_usd <= 2 * spoken * 12 / MILLION


async def test_streamed_speech_is_charged_by_the_tokens_it_counts(
    world: PassedWorld, client: openai.AsyncOpenAI
) -> None:
    spoken = await client.audio.speech.create(
        model="openai:gpt-4o-mini-tts", input="Grüezi mitenand!", voice="alloy", stream_format="sse"
    )
    assert spoken.content.count(b"data: ") == 3
    record, cost_usd = await _settled(world)
    assert cost_usd == (2 * Decimal("0.6") + 2 * 20 * 12) / MILLION
    assert record.is_streamed


@pytest.mark.parametrize("kind", ["json", "verbose_json", "text", "srt", "vtt"])
async def test_a_transcript_costs_its_seconds_whatever_its_format(
    world: PassedWorld, client: openai.AsyncOpenAI, kind: Any
) -> None:
    said = await client.audio.transcriptions.create(
        model="openai:whisper-1", file=("a.wav", wav(2.5)), response_format=kind
    )
    assert TEXT in str(said)
    record, cost_usd = await _settled(world)
    assert (cost_usd, record.is_estimated) == (3 * Decimal("0.36") / 3_600, False)


async def test_a_transcript_by_tokens_costs_what_it_counts_streamed_or_not(
    world: PassedWorld, client: openai.AsyncOpenAI
) -> None:
    file = ("a.wav", wav(2))
    whole = await client.audio.transcriptions.create(model="openai:gpt-4o-transcribe", file=file)
    stream = await client.audio.transcriptions.create(
        model="openai:gpt-4o-transcribe", file=file, stream=True
    )
    deltas = [event.delta async for event in stream if event.type == "transcript.text.delta"]
    assert "".join(deltas).strip() == whole.text
    costs = [record.cost_usd for record in await world.records()]
    assert costs == [(20 * 6 + 4 * 10) / MILLION] * 2


async def test_a_stream_that_the_model_does_not_give_is_a_whole_answer(
    world: PassedWorld, http: httpx2.AsyncClient
) -> None:
    answer = await http.post(
        "/v1/audio/transcriptions",
        data={"model": "openai:whisper-1", "stream": "true"},
        files={"file": ("a.wav", wav(0.99))},
        headers={"authorization": f"Bearer {await world.someone('5')}"},
    )
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["text"] == TEXT
    assert (await _settled(world))[1] == Decimal("0.36") / 3_600


async def test_a_moderation_costs_nothing_and_is_in_the_books(
    world: PassedWorld, client: openai.AsyncOpenAI
) -> None:
    answer = await client.moderations.create(
        model="openai:omni-moderation-latest", input=["a", "b"]
    )
    assert len(answer.results) == 2
    record, cost_usd = await _settled(world)
    assert cost_usd == Decimal(0)
    assert not record.is_estimated
    assert record.status is Status.SUCCESS


@pytest.mark.parametrize(
    ("model", "cost_usd"),
    [("rerank-v3.5", Decimal("0.002")), ("jina-reranker-v2", 4 * Decimal("0.05") / MILLION)],
)
async def test_a_ranking_costs_its_searches_or_its_tokens(
    world: PassedWorld, client: openai.AsyncOpenAI, model: str, cost_usd: Decimal
) -> None:
    body = {"model": f"openai:{model}", "query": "q", "documents": ["a", "b"], "top_n": 1}
    ranking: Any = await client.post("/rerank", body=body, cast_to=object)
    assert [result["index"] for result in ranking["results"]] == [0]
    assert await _settled(world) == (await world.record(), cost_usd)


async def test_what_the_budget_cannot_hold_is_not_sent(
    world: PassedWorld, http: httpx2.AsyncClient, fake: FakeOpenAI
) -> None:
    key = await world.someone("0.01")
    client = openai.AsyncOpenAI(
        base_url="http://gateway/v1", api_key=key, http_client=http, max_retries=0
    )
    before = len(fake.requests)
    with pytest.raises(openai.PermissionDeniedError, match="exceeded budget"):
        await client.images.generate(model="openai:gpt-image-2", prompt="a red fox")
    assert len(fake.requests) == before
    assert (await world.balance()).committed_usd == 0


async def test_a_model_without_a_price_is_refused(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        await client.images.generate(model="openai:unpriced", prompt="a red fox")
    assert caught.value.status_code == 402


async def test_a_form_that_is_none_is_refused_with_what_is_wrong(
    world: PassedWorld, http: httpx2.AsyncClient
) -> None:
    key = await world.someone("5")
    headers = {"authorization": f"Bearer {key}", "content-type": "multipart/form-data; boundary=x"}
    answer = await http.post("/v1/audio/transcriptions", content=b"--y", headers=headers)
    assert answer.status_code == 400
    assert "does not begin with the boundary" in answer.json()["error"]["message"]


async def test_a_providers_refusal_is_the_callers_and_costs_nothing(
    world: PassedWorld, client: openai.AsyncOpenAI
) -> None:
    await world.price("openai:error-429", rates={})
    with pytest.raises(openai.RateLimitError):
        await client.moderations.create(model="openai:error-429", input="a")
    assert (await world.balance()).committed_usd == 0


async def test_a_picture_whose_stream_breaks_is_charged_as_far_as_it_can_have_come(
    world: PassedWorld, client: openai.AsyncOpenAI, fake: FakeOpenAI
) -> None:
    rates = {"rates": (await world.lookup.price("openai:gpt-image-2")).rates}  # type: ignore[union-attr]  # it has one
    await world.price("openai:gpt-image-2+rst-1", "5", "30", **rates)
    stream = await client.images.generate(
        model="openai:gpt-image-2+rst-1", prompt="a red fox", stream=True, partial_images=2
    )
    with pytest.raises(openai.APIError):
        _ = [event async for event in stream]
    record, cost_usd = await _settled(world)
    assert (record.status, record.is_estimated) == (Status.ERROR, True)
    assert cost_usd > 0


async def test_an_uploads_bytes_are_no_tokens_a_minute(
    world: PassedWorld, http: httpx2.AsyncClient
) -> None:
    await world.user()
    key = await world.key(rate_limit_tpm=1_000)
    answer = await http.post(
        "/v1/audio/transcriptions",
        data={"model": "openai:whisper-1"},
        files={"file": ("a.wav", wav(5))},
        headers={"authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 200
    assert len(wav(5)) > 4 * 1_000
