"""What is told to whoever observes the services: every request once."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from bursar.domain.errors import (
    BursarError,
    StoreUnavailable,
    UpstreamBroken,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from bursar.domain.events import Closed, Event, TurnedAway
from bursar.domain.keys import new_virtual_key
from bursar.services.answers import StreamedAnswer
from tests.fakes.scripted_upstream import (
    DONE,
    ScriptedAnswer,
    completion,
    delta,
    stream,
    usage_chunk,
)
from tests.fakes.world import World, drained


def outcome_of(world: World) -> str:
    (event,) = world.observed
    return said(event)


def said(event: Event) -> str:
    match event:
        case Closed():
            return event.outcome
        case TurnedAway():
            return f"turned away: {event.code}"
    raise AssertionError(event)


async def test_an_answer_is_told_with_its_record() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = completion()
    await world.chat(key)
    assert world.observed == [Closed(await world.record())]
    assert outcome_of(world) == "success"


async def test_a_stream_is_told_once_with_its_first_token() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("a"), usage_chunk(), DONE)
    await drained(await world.chat(key, stream=True))
    (event,) = world.observed
    assert isinstance(event, Closed)
    assert event.record.first_token_ms is not None


async def test_a_caller_who_leaves_is_no_failure_of_the_provider() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("a"), asyncio.Event(), DONE)
    answer = await world.chat(key, stream=True)
    assert isinstance(answer, StreamedAnswer)

    async def gone(_: bytes) -> None:
        raise BrokenPipeError

    with suppress(OSError):
        await answer.relay.run(gone)
    assert outcome_of(world) == "disconnected"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (UpstreamTimeout("x"), "upstream_timeout"),
        (UpstreamUnreachable("x"), "upstream_unreachable"),
        (ScriptedAnswer(429), "upstream_429"),
        (ScriptedAnswer(400), "upstream_4xx"),
        (ScriptedAnswer(503), "upstream_5xx"),
        (ScriptedAnswer(script=[UpstreamBroken("x")]), "upstream_broken"),
        (stream(UpstreamTimeout("x")), "upstream_timeout"),
    ],
)
async def test_a_providers_failure_is_told_by_its_class(
    answer: ScriptedAnswer | Exception, outcome: str
) -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = answer
    with suppress(BursarError):
        await world.chat(key, stream=True)
    assert outcome_of(world) == outcome


async def test_a_stream_that_breaks_off_is_told_by_its_class() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("a"), delta("b"))
    await drained(await world.chat(key, stream=True))
    assert outcome_of(world) == "upstream_broken"


async def test_who_is_turned_away_is_told_by_the_reason() -> None:
    world = World()
    key = await world.someone("0.000001")
    world.upstream.answer = completion()
    for refused in (key, new_virtual_key()):
        with suppress(BursarError):
            await world.chat(refused)
    assert [said(event) for event in world.observed] == [
        "turned away: budget_exceeded",
        "turned away: invalid_api_key",
    ]


async def test_a_request_whose_books_stay_open_is_told_all_the_same() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = completion()

    class LostLog:
        async def record(self, entry: object) -> object:
            raise StoreUnavailable("gone")

    world.till._usage_log = LostLog()  # type: ignore[assignment]
    await world.chat(key)
    assert outcome_of(world) == "success"
