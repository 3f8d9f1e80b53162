from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace

import pytest

from bursar.domain.errors import StoreUnavailable
from bursar.store.connect import connect
from bursar.store.errors import ConditionFailed, OperationRefused
from bursar.store.signed_call import Patience
from tests.fakes.http_server import Exchange, HttpServer
from tests.unit.store.scripted import (
    IMPATIENT,
    QUICK,
    Step,
    answers_then_hangs_up,
    client_of,
    hangs,
    hangs_up,
    refuses,
    resets,
    says,
    scripted,
    speaks_no_http,
    stops_half_way,
)

ITEM = {"Item": {"pk": {"S": "é"}, "n": {"N": "12345678901234567890.5"}}}
REQUEST = {"TableName": "bursar", "Key": {"pk": {"S": "é"}}}
SILENCE = hangs()
CONDITION_FAILED = refuses("ConditionalCheckFailedException", Item={"pk": {"S": "a"}})


async def test_an_operation_is_posted_and_its_answer_read() -> None:
    with scripted(says(ITEM)) as server:
        call = client_of(server)

        assert await call("GetItem", REQUEST) == ITEM

        await call.close()
    sent = server.last
    assert (sent.method, sent.path) == ("POST", "/")
    assert sent.json() == REQUEST
    assert sent.headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert sent.headers["content-type"] == "application/x-amz-json-1.0"
    assert sent.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=local/")


async def test_calls_one_after_the_other_share_a_connection() -> None:
    with scripted(*[says({})] * 5) as server:
        call = client_of(server)
        for _ in range(5):
            await call("GetItem", REQUEST)
        await call.close()

    assert server.connections == 1


async def test_calls_at_once_get_their_own_answers() -> None:
    async def echo(exchange: Exchange) -> None:
        number = exchange.request.json()["Number"]
        await exchange.pause(0.001 * (number % 7))
        await says({"Number": number})(exchange)

    with HttpServer(echo) as server:
        call = client_of(server)
        answers = await asyncio.gather(
            *(call("GetItem", {"Number": number}) for number in range(150))
        )
        await call.close()

    assert [answer["Number"] for answer in answers] == list(range(150))
    assert server.connections <= 64


@pytest.mark.parametrize(
    "trouble",
    [
        refuses("ProvisionedThroughputExceededException"),
        refuses("ThrottlingException"),
        refuses("RequestLimitExceeded"),
        refuses("InternalServerError", 500),
        says({}, 503),
        SILENCE,
        resets,
        hangs_up,
        stops_half_way,
        speaks_no_http,
        says(ITEM, checksum_off_by=1),
    ],
    ids=[
        "throughput",
        "throttling",
        "limit",
        "500",
        "503",
        "silence",
        "reset",
        "hang-up",
        "half",
        "no-http",
        "checksum",
    ],
)
async def test_a_passing_trouble_is_mended_by_another_try(trouble: Step) -> None:
    with scripted(trouble, trouble, says(ITEM)) as server:
        call = client_of(server, IMPATIENT if trouble is SILENCE else QUICK)

        assert await call("GetItem", REQUEST) == ITEM

        await call.close()
    assert len(server.requests) == 3
    assert len({request.body for request in server.requests}) == 1


@pytest.mark.parametrize("trouble", [resets, SILENCE, refuses("ThrottlingException")])
async def test_a_lasting_trouble_makes_the_store_unavailable(trouble: Step) -> None:
    with scripted(*[trouble] * 3) as server:
        call = client_of(server, replace(QUICK, tries_max=3, read_timeout_s=0.05))

        with pytest.raises(StoreUnavailable) as failed:
            await call("PutItem", {"Item": {"secret": {"S": "canary"}}})

        await call.close()
    assert len(server.requests) == 3
    assert failed.value.message == "DynamoDB did not carry out PutItem"


async def test_nobody_listening_makes_the_store_unavailable() -> None:
    with scripted() as server:
        origin = server.origin
    call = connect({"DYNAMODB_ENDPOINT": origin}, patience=QUICK)

    with pytest.raises(StoreUnavailable):
        await call("GetItem", REQUEST)


@pytest.mark.parametrize("status", [400, 403])
async def test_what_no_repetition_mends_is_raised_at_once(status: int) -> None:
    with scripted(refuses("AccessDeniedException", status)) as server:
        call = client_of(server)

        with pytest.raises(OperationRefused) as refused:
            await call("GetItem", REQUEST)

        await call.close()
    assert refused.value.error_type == "AccessDeniedException"
    assert refused.value.message == "DynamoDB refused GetItem: AccessDeniedException"


async def test_an_error_that_is_no_json_is_named_by_its_status() -> None:
    async def not_found(exchange: Exchange) -> None:
        await exchange.answer(404, {"content-type": "text/html"}, b"<h1>secret page</h1>")

    with scripted(not_found) as server:
        call = client_of(server)

        with pytest.raises(OperationRefused) as refused:
            await call("GetItem", REQUEST)

        await call.close()
    assert refused.value.error_type == "status 404"


async def test_a_failed_condition_tells_the_item_as_it_stands() -> None:
    with scripted(CONDITION_FAILED, refuses("ConditionalCheckFailedException")) as server:
        call = client_of(server)

        with pytest.raises(ConditionFailed) as with_item:
            await call("PutItem", REQUEST)
        with pytest.raises(ConditionFailed) as without:
            await call("PutItem", REQUEST)

        await call.close()
    assert with_item.value.item == {"pk": {"S": "a"}}
    assert without.value.item is None
    assert not with_item.value.is_repeat


@pytest.mark.parametrize("ambiguous", [resets, SILENCE, says({}, 500), stops_half_way])
async def test_a_condition_that_fails_after_a_lost_answer_is_told_as_a_repetition(
    ambiguous: Step,
) -> None:
    with scripted(ambiguous, CONDITION_FAILED) as server:
        call = client_of(server, IMPATIENT if ambiguous is SILENCE else QUICK)

        with pytest.raises(ConditionFailed) as failed:
            await call("PutItem", REQUEST)

        await call.close()
    assert failed.value.is_repeat


async def test_a_condition_that_fails_after_a_throttle_is_no_repetition() -> None:
    with scripted(refuses("ThrottlingException"), CONDITION_FAILED) as server:
        call = client_of(server)

        with pytest.raises(ConditionFailed) as failed:
            await call("PutItem", REQUEST)

        await call.close()
    assert not failed.value.is_repeat


async def test_a_connection_closed_while_idle_is_not_used_again() -> None:
    with scripted(answers_then_hangs_up({}), says(ITEM)) as server:
        call = client_of(server)
        await call("GetItem", REQUEST)
        assert await server.until(lambda: server.closed == 1)

        assert await call("GetItem", REQUEST) == ITEM

        await call.close()
    assert server.connections == 2


async def test_a_connection_closed_while_idle_makes_no_repetition() -> None:
    with scripted(answers_then_hangs_up({}), CONDITION_FAILED) as server:
        call = client_of(server)
        await call("GetItem", REQUEST)
        assert await server.until(lambda: server.closed == 1)

        with pytest.raises(ConditionFailed) as failed:
            await call("PutItem", REQUEST)

        await call.close()
    assert not failed.value.is_repeat


async def test_a_kept_connection_found_closed_is_replaced_by_a_new_one_without_delay() -> None:
    slow = hangs(0.05, then=says({}))
    with scripted(slow, slow, hangs_up, says(ITEM)) as server:
        call = client_of(server, replace(QUICK, base_delay_s=600, delay_max_s=600))
        call._jitter = lambda: 1.0
        await asyncio.gather(call("GetItem", REQUEST), call("GetItem", REQUEST))

        async with asyncio.timeout(60):
            assert await call("GetItem", REQUEST) == ITEM

        await call.close()
    assert server.requests[2].connection in {1, 2}
    assert server.requests[3].connection == 3


async def test_a_late_answer_is_never_taken_for_the_next_ones() -> None:
    late = hangs(2 * IMPATIENT.read_timeout_s, then=says({"Late": True}))
    with scripted(late, says({"Second": True}), says({"Third": True})) as server:
        call = client_of(server, IMPATIENT)

        assert await call("GetItem", REQUEST) == {"Second": True}
        first = server.requests[0]
        assert await server.until(lambda: first.disconnected or first.finished)
        assert await call("GetItem", REQUEST) == {"Third": True}

        await call.close()


async def test_a_cancelled_call_leaves_no_answer_for_another() -> None:
    late = hangs(0.05, then=says({"Cancelled": True}))
    with scripted(late, says({"Mine": True})) as server:
        call = client_of(server)
        cancelled = asyncio.ensure_future(call("GetItem", REQUEST))
        assert await server.until(lambda: len(server.requests) == 1)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)

        assert await call("GetItem", REQUEST) == {"Mine": True}

        await call.close()
    assert server.requests[0].disconnected


def test_delays_double_up_to_a_most_and_are_spread_by_chance() -> None:
    patience = Patience(base_delay_s=0.05, delay_max_s=0.3)

    delays_s = [patience.delay_s(tried, chance=1.0) for tried in (1, 2, 3, 4, 5)]

    assert delays_s == [0.05, 0.1, 0.2, 0.3, 0.3]
    assert patience.delay_s(2, chance=0.25) == 0.025


async def test_tries_are_apart_by_their_delays() -> None:
    throttle = refuses("ThrottlingException")
    with scripted(*[throttle] * 3, says({})) as server:
        call = client_of(server, replace(QUICK, base_delay_s=0.04))
        call._jitter = lambda: 1.0
        started = time.monotonic()

        await call("GetItem", REQUEST)

        took_s = time.monotonic() - started
        await call.close()
    assert took_s >= 0.04 + 0.08 + 0.16


async def test_no_try_begins_after_the_deadline() -> None:
    with scripted(resets, says({})) as server:
        call = client_of(server, replace(QUICK, deadline_s=0))

        with pytest.raises(StoreUnavailable):
            await call("GetItem", REQUEST)

        await call.close()
    assert len(server.requests) == 1


async def test_an_answer_in_small_pieces_is_put_together() -> None:
    data = json.dumps(ITEM).encode()

    async def in_pieces(exchange: Exchange) -> None:
        await exchange.head(200, {})
        for at in range(0, len(data), 3):
            await exchange.send(data[at : at + 3])
            await asyncio.sleep(0)
        await exchange.end()

    with scripted(in_pieces) as server:
        call = client_of(server)

        assert await call("GetItem", REQUEST) == ITEM

        await call.close()


def test_a_process_may_run_one_event_loop_after_the_other() -> None:
    slow = hangs(0.01, then=says({}))
    with scripted(*[slow] * 140) as server:
        call = client_of(server, replace(QUICK, read_timeout_s=5))

        async def more_at_once_than_connections() -> None:
            await asyncio.gather(*(call("GetItem", REQUEST) for _ in range(70)))
            await call.close()

        asyncio.run(more_at_once_than_connections())
        asyncio.run(more_at_once_than_connections())

    assert len(server.requests) == 140
