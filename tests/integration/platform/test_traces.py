"""Traces, by which newer SDKs report what they used."""

from __future__ import annotations

import gzip
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.usage import Status, TokenUsage
from tests.fakes.otlp import COUNTED, Span, export
from tests.integration.platform.direct import COST, MODEL

if TYPE_CHECKING:
    import httpx2

    from tests.integration.platform.direct import Direct

PROTOBUF = {"content-type": "application/x-protobuf"}
GZIP = {**PROTOBUF, "content-encoding": "gzip"}
MEBIBYTE = 1024 * 1024


async def _send(client: httpx2.AsyncClient, body: bytes, **headers: str) -> httpx2.Response:
    return await client.post("/v1/traces", content=body, headers={**PROTOBUF, **headers})


async def test_a_call_is_recorded_priced_and_charged(direct: Direct) -> None:
    await direct.budget("1000", client_id=direct.client_id)
    attributes = {**COUNTED, "anyllm.client_name": "web", "anyllm.performance.ttft_ms": 127.67}
    async with await direct.client() as client:
        answer = await _send(client, export(Span(attributes)))

    assert answer.status_code == 200
    assert answer.headers["content-type"] == PROTOBUF["content-type"]
    assert answer.content == b""
    (record,) = await direct.records()
    assert (record.usage, record.cost_usd) == (TokenUsage(11, 7), COST)
    assert (record.provider, record.model, record.endpoint) == ("openai", MODEL, "/v1/traces")
    assert (record.client_id, record.provider_key_id) == (direct.client_id, direct.key_id)
    assert (record.first_token_ms, record.duration_ms) == (127, 2000)
    assert record.tokens_per_second == Decimal("3.5")
    assert record.is_streamed
    balances = await direct.balances(direct.client_id)
    assert [balance.committed_usd for balance in balances] == [COST, COST]
    assert not any(balance.holds for balance in balances)


async def test_a_span_is_counted_once_in_whatever_batch_it_comes(direct: Direct) -> None:
    first, second = Span(), Span()
    async with await direct.client() as client:
        await _send(client, export(first))
        await _send(client, export(first, second, second))
        await _send(client, gzip.compress(export(second)), **GZIP)

    assert len(await direct.records()) == 2
    assert [each.committed_usd for each in await direct.balances()] == [2 * COST]


async def test_many_calls_of_one_request_are_all_charged(direct: Direct) -> None:
    async with await direct.client() as client:
        assert (await _send(client, export(*[Span() for _ in range(30)]))).status_code == 200

    assert len(await direct.records()) == 30
    assert [each.committed_usd for each in await direct.balances()] == [30 * COST]


async def test_other_spans_are_passed_over_and_never_refused(direct: Direct) -> None:
    others = [
        Span(name="GET /users"),
        Span(scope="my-application"),
        Span({}),
        Span({"gen_ai.usage.input_tokens": 10**18}),
    ]
    async with await direct.client() as client:
        answer = await _send(client, export(*others, Span(), *others))

    assert answer.status_code == 200
    assert len(await direct.records()) == 1


async def test_a_call_that_failed_is_recorded_at_no_cost(direct: Direct) -> None:
    async with await direct.client() as client:
        await _send(client, export(Span({"error.type": "RateLimitError"}, has_failed=True)))

    (record,) = await direct.records()
    assert (record.status, record.usage, record.cost_usd) == (Status.ERROR, None, Decimal(0))


async def test_a_cancelled_stream_is_charged_for_what_was_counted(direct: Direct) -> None:
    async with await direct.client() as client:
        await _send(client, export(Span({**COUNTED, "anyllm.stream.cancelled": True})))

    (record,) = await direct.records()
    assert (record.status, record.cost_usd) == (Status.DISCONNECTED, COST)


async def test_no_text_can_be_kept_by_way_of_a_span(direct: Direct) -> None:
    canary = "What did the patient say? canary-7f"
    texts = ("gen_ai.conversation.id", "anyllm.user_session_label", "gen_ai.prompt", "error.type")
    span = Span({**COUNTED, **dict.fromkeys(texts, canary)}, provider=canary, model=canary)
    async with await direct.client() as client:
        assert (await _send(client, export(span))).status_code == 200

    (record,) = await direct.records()
    assert "canary" not in repr(record)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff\xff", {}, 400),
        (b"not gzip", GZIP, 400),
        (gzip.compress(export(Span()))[:-9], GZIP, 400),
        (gzip.compress(export(Span())) + b"more", GZIP, 400),
        (export(Span()), {"content-encoding": "br"}, 400),
        (gzip.compress(b"\x00" * (4 * MEBIBYTE + 1)), GZIP, 413),
        (b"\x00" * (MEBIBYTE + 1), {}, 413),
        (export(*[Span() for _ in range(2049)]), {}, 413),
    ],
)
async def test_what_cannot_be_read_is_refused_and_nothing_is_recorded(
    direct: Direct, body: bytes, headers: dict[str, Any], status: int
) -> None:
    async with await direct.client() as client:
        answer = await _send(client, body, **headers)

    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)
    assert await direct.records() == []


async def test_traces_of_an_exhausted_project_are_counted(direct: Direct) -> None:
    await direct.budget("0")
    async with await direct.client() as client:
        assert (await _send(client, export(Span()))).status_code == 200

    assert [each.committed_usd for each in await direct.balances()] == [COST, COST]
