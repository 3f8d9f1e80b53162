"""Streams: what passes, what is withheld, and how each way to end is charged."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import UpstreamBroken, UpstreamTimeout
from bursar.domain.usage import Status
from bursar.services.answers import StreamedAnswer
from bursar.services.policy import Policy
from bursar.services.presence import CallerGone, never
from tests.fakes.scripted_upstream import (
    DONE,
    ScriptedAnswer,
    completion,
    delta,
    event,
    stream,
    usage_chunk,
)
from tests.fakes.world import PROVIDER_KEY, World, drained, whole

if TYPE_CHECKING:
    from bursar.domain.upstream import UpstreamRequest

_FAILED = b"An error occurred during streaming"


async def test_usage_is_always_asked_for_and_withheld_from_who_did_not_ask() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("a"), delta("b"), usage_chunk(100, 2), DONE)
    written = await drained(await world.chat(key, stream=True))
    assert written == delta("a") + delta("b") + DONE
    assert world.upstream.sent["stream_options"] == {"include_usage": True}
    record = await world.record()
    assert record.cost_usd == Decimal("0.000104")
    assert record.is_streamed
    assert record.first_token_ms is not None


async def test_who_asked_for_usage_gets_every_byte() -> None:
    world = World()
    key = await world.someone("1")
    script = (delta("a"), usage_chunk(), DONE)
    world.upstream.answer = stream(*script)
    written = await drained(
        await world.chat(key, stream=True, stream_options={"include_usage": True, "x": 1})
    )
    assert written == b"".join(script)
    assert world.upstream.sent["stream_options"] == {"include_usage": True, "x": 1}


async def test_a_caller_cannot_switch_accounting_off() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("a"), usage_chunk(100, 2), DONE)
    written = await drained(
        await world.chat(key, stream=True, stream_options={"include_usage": False})
    )
    assert written == delta("a") + DONE
    assert (await world.balance()).committed_usd == Decimal("0.000104")


async def test_usage_in_the_last_content_chunk_is_read_and_passes() -> None:
    world = World()
    key = await world.someone("1")
    last = event(
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 100}}
    )
    world.upstream.answer = stream(delta("a"), last, DONE)
    assert await drained(await world.chat(key, stream=True)) == delta("a") + last + DONE
    assert (await world.balance()).committed_usd == Decimal("0.0001")


async def test_usage_reported_again_and_again_counts_at_its_largest() -> None:
    world = World()
    key = await world.someone("1")
    script = (usage_chunk(100, 1), delta("a"), usage_chunk(100, 9), usage_chunk(0, 0), DONE)
    world.upstream.answer = stream(*script)
    await drained(await world.chat(key, stream=True))
    assert (await world.balance()).committed_usd == Decimal("0.000118")


async def test_a_stream_without_usage_is_charged_by_the_bytes_it_generated() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("four"), delta("ключ"), DONE)
    await drained(await world.chat(key, stream=True))
    record = await world.record()
    assert record.is_estimated
    assert record.usage is not None
    assert record.usage.output_tokens == 4 + 8
    assert record.status is Status.SUCCESS


@pytest.mark.parametrize(
    "ending",
    [
        (),
        (UpstreamBroken("reset"),),
        (event({"error": {"message": "secret of the provider"}}),),
        (event({"error": {"message": "secret of the provider"}}) + DONE,),
    ],
    ids=["no terminal event", "connection lost", "error event", "error event and end"],
)
async def test_a_stream_that_breaks_ends_properly_and_is_charged(
    ending: tuple[bytes | Exception, ...],
) -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("four"), *ending)
    written = await drained(await world.chat(key, stream=True))
    assert written.startswith(delta("four"))
    assert _FAILED in written
    assert b"secret of the provider" not in written
    assert written.endswith(DONE)
    record = await world.record()
    assert record.status is Status.ERROR
    assert record.cost_usd == (await world.balance()).committed_usd > 0
    assert (await world.balance()).holds == {}


async def test_what_a_provider_said_in_its_stream_is_in_the_books_without_its_key() -> None:
    world = World()
    key = await world.someone("1")
    said = {"error": {"message": f"bad key {PROVIDER_KEY}" + "!" * 1_000}}
    world.upstream.answer = stream(delta("a"), event(said))
    await drained(await world.chat(key, stream=True))
    remark = (await world.record()).error_message
    assert remark is not None
    assert "bad key [provider key]" in remark
    assert len(remark) <= 500


async def test_a_break_after_the_usage_is_charged_by_the_usage() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("four"), usage_chunk(100, 2))
    await drained(await world.chat(key, stream=True))
    record = await world.record()
    assert (record.status, record.cost_usd) == (Status.ERROR, Decimal("0.000104"))


async def test_a_failure_before_the_first_chunk_is_an_error_and_not_a_stream() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(UpstreamBroken("reset"))
    with pytest.raises(UpstreamBroken):
        await world.chat(key, stream=True)
    assert (await world.balance()).holds == {}
    assert (await world.record()).status is Status.ERROR


async def test_a_caller_who_goes_is_charged_for_what_was_generated() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("four"), asyncio.Event())
    answer = await world.chat(key, stream=True)
    assert isinstance(answer, StreamedAnswer)
    written = asyncio.Event()

    async def write(piece: bytes) -> None:
        written.set()

    relaying = asyncio.create_task(answer.relay.run(write))
    await written.wait()
    relaying.cancel()
    with suppress(asyncio.CancelledError):
        await relaying
    assert world.upstream.answer.is_closed
    record = await world.record()
    assert record.status is Status.DISCONNECTED
    assert record.usage is not None
    assert record.usage.output_tokens == 4
    assert record.cost_usd == (await world.balance()).committed_usd
    assert (await world.balance()).holds == {}


async def test_a_caller_who_goes_before_the_first_byte_ends_the_providers_work() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(asyncio.Event())
    with pytest.raises(CallerGone):
        await world.chat(key, stream=True, gone=lambda: asyncio.sleep(0.01))
    assert world.upstream.answer.is_closed
    record = await world.record()
    assert (record.status, record.is_estimated) == (Status.DISCONNECTED, True)
    assert record.usage is not None
    assert record.usage.output_tokens == 0
    assert record.cost_usd == (await world.balance()).committed_usd > 0
    assert (await world.balance()).holds == {}


async def test_a_caller_who_goes_while_the_provider_says_nothing_at_all_is_charged_the_input() -> (
    None
):
    world = World()
    key = await world.someone("1")

    async def send(request: UpstreamRequest) -> ScriptedAnswer:
        await asyncio.Event().wait()
        raise AssertionError

    world.upstream.send = send  # type: ignore[method-assign]
    with pytest.raises(CallerGone):
        await world.chat(key, stream=True, gone=lambda: asyncio.sleep(0.01))
    record = await world.record()
    assert record.status is Status.DISCONNECTED
    assert record.cost_usd == (await world.balance()).committed_usd
    assert (await world.balance()).holds == {}


async def test_a_caller_who_goes_after_the_first_byte_was_ready_changes_nothing_here() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("a"), DONE)
    answer = await world.chat(key, stream=True, gone=never)
    assert await drained(answer) == delta("a") + DONE


async def test_a_whole_answer_is_read_to_its_end_although_its_caller_has_gone() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = completion(prompt_tokens=100, completion_tokens=2)
    await world.chat(key, gone=lambda: asyncio.sleep(0))
    record = await world.record()
    assert (record.status, record.cost_usd) == (Status.SUCCESS, Decimal("0.000104"))


async def test_a_connection_that_takes_no_more_counts_as_gone() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("four"), DONE)
    answer = await world.chat(key, stream=True)
    assert isinstance(answer, StreamedAnswer)

    async def write(piece: bytes) -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await answer.relay.run(write)
    assert (await world.record()).status is Status.DISCONNECTED
    assert (await world.balance()).holds == {}


async def test_a_mistake_of_ours_in_mid_stream_ends_it_properly_and_is_charged() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("four"), ValueError("canary of the inside"))
    written = await drained(await world.chat(key, stream=True))
    assert _FAILED in written
    assert b"canary" not in written
    record = await world.record()
    assert (record.status, record.error_message) == (Status.ERROR, "ValueError")
    assert (await world.balance()).holds == {}


async def test_a_connection_that_fails_to_close_leaves_no_books_open() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("four"), DONE)

    async def close() -> None:
        raise RuntimeError

    world.upstream.answer.close = close  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await drained(await world.chat(key, stream=True))
    assert (await world.balance()).holds == {}


async def test_a_caller_who_does_not_read_is_let_go_when_the_request_is_out_of_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bursar.services.relay._LAST_WORD_S", 0.0)
    world = World(Policy(directory_age_s=0, request_timeout_s=0.3))
    key = await world.someone("1")
    world.upstream.answer = stream(delta("four"), DONE)
    answer = await world.chat(key, stream=True)
    assert isinstance(answer, StreamedAnswer)

    async def write(piece: bytes) -> None:
        await asyncio.Event().wait()

    with pytest.raises(OSError, match="stopped reading"):
        await answer.relay.run(write)
    assert (await world.record()).status is Status.DISCONNECTED
    assert (await world.balance()).holds == {}


async def test_cancelling_twice_still_closes_the_books() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("four"), asyncio.Event())
    answer = await world.chat(key, stream=True)
    assert isinstance(answer, StreamedAnswer)
    slow = asyncio.Event()
    record = world.usage_log.record

    async def slow_record(entry: object) -> object:
        await slow.wait()
        return await record(entry)  # type: ignore[arg-type]

    world.usage_log.record = slow_record  # type: ignore[method-assign, assignment]

    async def write(piece: bytes) -> None:
        return

    relaying = asyncio.create_task(answer.relay.run(write))
    for _ in range(3):
        await asyncio.sleep(0.01)
        relaying.cancel()
    slow.set()
    with suppress(asyncio.CancelledError):
        await relaying
    assert (await world.balance()).holds == {}
    assert (await world.record()).status is Status.DISCONNECTED


async def test_a_stream_that_stalls_past_the_deadline_is_closed() -> None:
    world = World(Policy(directory_age_s=0, request_timeout_s=0.3))
    key = await world.someone("1")
    world.upstream.answer = stream(delta("four"), asyncio.Event())
    written = await drained(await world.chat(key, stream=True))
    assert _FAILED in written
    assert UpstreamTimeout.code.encode() in written
    assert (await world.balance()).holds == {}


async def test_a_provider_that_does_not_stream_is_answered_in_one_piece() -> None:
    world = World()
    key = await world.someone("1")
    answer = stream(b'{"id":"x","usage":{"prompt_tokens":1}}')
    answer.headers = {"content-type": "application/json"}
    world.upstream.answer = answer
    assert whole(await world.chat(key, stream=True))["id"] == "x"


async def test_the_books_are_closed_before_the_terminal_event_is_written() -> None:
    world = World()
    key = await world.someone("1")
    world.upstream.answer = stream(delta("a"), usage_chunk(), DONE)
    answer = await world.chat(key, stream=True)
    assert isinstance(answer, StreamedAnswer)
    seen: list[int] = []

    async def write(piece: bytes) -> None:
        if piece == DONE:
            seen.append(len(await world.records()))

    await answer.relay.run(write)
    assert seen == [1]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_a_stream_cut_into_tiny_chunks_is_the_same_stream(size: int) -> None:
    world = World()
    key = await world.someone("1")
    text = delta("a") + b": comment\n\n" + delta("ключ") + usage_chunk(100, 2) + DONE
    world.upstream.answer = stream(*(text[i : i + size] for i in range(0, len(text), size)))
    written = await drained(await world.chat(key, stream=True))
    assert written == delta("a") + b": comment\n\n" + delta("ключ") + DONE
    assert (await world.balance()).committed_usd == Decimal("0.000104")
