"""Providers that fail and clients that leave: each request is charged, recorded and closed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests import engines
from tests.e2e.deployment import (
    INPUT_USD_PER_MILLION,
    MODEL,
    OUTPUT_USD_PER_MILLION,
    Deployment,
)
from tests.e2e.gateway_process import NO_TLS, until
from tests.e2e.raw_http import Connection, message
from tests.fakes.scripted_content import UPSTREAM_SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.deployment import Holder
    from tests.fakes.openai_upstream import FakeOpenAI

CHAT = "/v1/chat/completions"
STREAM_FAILED = b'"message":"An error occurred during streaming"'
DONE = b"data: [DONE]\n\n"


@pytest.fixture
def holder(served: Deployment) -> Holder:
    return served.holder("1")


def _body(*, stream: bool = False, fake: dict[str, Any] | None = None, **fields: Any) -> bytes:
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Grüezi!"}],
        "max_tokens": 50,
        "stream": stream,
        "fake": fake or {},
        **fields,
    }
    return json.dumps(body).encode()


def _hold_usd(body: bytes) -> Decimal:
    return ((len(body) + 8) * INPUT_USD_PER_MILLION + 50 * OUTPUT_USD_PER_MILLION) / 1_000_000


def _ask(deployment: Deployment, holder: Holder, body: bytes) -> httpx2.Response:
    return httpx2.post(
        deployment.gateway.url + CHAT,
        content=body,
        headers=holder.headers,
        timeout=30,
        verify=NO_TLS,
    )


def _send(deployment: Deployment, holder: Holder, body: bytes, **options: Any) -> Connection:
    connection = Connection(deployment.gateway.port, **options)
    connection.send(message("POST", CHAT, holder.headers, body))
    return connection


def _only_record(deployment: Deployment, holder: Holder) -> dict[str, Any]:
    """The one record of a holder, once it is there and its money is settled."""
    assert until(lambda: deployment.books.records(holder.user_id) != [])
    assert until(lambda: deployment.account(holder).holds == ())
    deployment.check_closed(holder)
    (record,) = deployment.books.records(holder.user_id)
    return record


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves_a_stream_cancels_the_provider_and_pays_for_what_came(
    served: Deployment, holder: Holder, upstream: FakeOpenAI, how: str
) -> None:
    body = _body(stream=True, fake={"pace_s": 0.1})
    connection = _send(served, holder, body)
    connection.read_until(b'w3 "},"logprobs":null,"finish_reason":null}]}\n')
    getattr(connection, how)()
    assert upstream.wait_until(lambda: upstream.last.disconnected)
    record = _only_record(served, holder)
    assert (record["status"], record["is_estimated"]) == ("disconnected", True)
    assert record["input_tokens"] == len(body) + 8
    assert len("w0 w1 w2 w3 ") <= record["output_tokens"] < 50
    assert 0 < record["cost_usd"] < _hold_usd(body)
    assert served.usage(holder)[0]["status"] == "error"


def test_a_client_that_leaves_before_a_streams_first_byte_is_noticed_at_that_byte(
    served: Deployment, holder: Holder, upstream: FakeOpenAI
) -> None:
    before = len(upstream.requests)
    body = _body(stream=True, fake={"delay_s": 0.4, "pace_s": 0.1})
    connection = _send(served, holder, body)
    assert upstream.wait_until(lambda: len(upstream.requests) > before)
    connection.close()
    record = _only_record(served, holder)
    assert upstream.wait_until(lambda: upstream.last.disconnected)
    assert record["status"] == "disconnected"
    assert 0 < record["cost_usd"] < _hold_usd(body)


def test_a_client_that_leaves_a_plain_request_pays_for_the_answer_it_did_not_read(
    served: Deployment, holder: Holder, upstream: FakeOpenAI
) -> None:
    before = len(upstream.requests)
    connection = _send(served, holder, _body(fake={"delay_s": 0.4}))
    assert upstream.wait_until(lambda: len(upstream.requests) > before)
    connection.close()
    assert _only_record(served, holder)["cost_usd"] == Decimal("0.0005225")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_provider_that_reports_no_usage_is_paid_the_upper_bound(
    served: Deployment, holder: Holder, *, stream: bool
) -> None:
    body = _body(stream=stream, fake={"usage": "never", "completion_tokens": 3})
    assert _ask(served, holder, body).status_code == 200
    record = _only_record(served, holder)
    assert (record["status"], record["is_estimated"]) == ("success", True)
    assert record["input_tokens"] == len(body) + 8
    assert record["output_tokens"] >= 3
    assert record["cost_usd"] <= _hold_usd(body)


def test_declining_usage_makes_a_stream_no_cheaper(served: Deployment, holder: Holder) -> None:
    body = _body(stream=True, stream_options={"include_usage": False})
    answer = _ask(served, holder, body)
    assert answer.content.endswith(DONE)
    assert b'"choices":[]' not in answer.content
    record = _only_record(served, holder)
    assert (record["status"], record["is_estimated"]) == ("success", False)
    assert record["cost_usd"] == Decimal("0.0005225")


@pytest.mark.parametrize("fault", ["rst", "fin", "no_done", "error_event"])
def test_a_stream_that_breaks_off_ends_with_an_error_and_is_charged(
    served: Deployment, holder: Holder, fault: str
) -> None:
    body = _body(stream=True, fake={"fault": fault, "fault_after": 6})
    answer = _ask(served, holder, body)
    assert answer.status_code == 200
    assert b"w0 " in answer.content
    assert STREAM_FAILED in answer.content
    assert answer.content.endswith(DONE)
    assert UPSTREAM_SECRET not in answer.text
    record = _only_record(served, holder)
    assert record["status"] == "error"
    assert 0 < record["cost_usd"] <= _hold_usd(body)


def test_a_stream_whose_first_event_is_an_error_is_no_stream_and_costs_nothing(
    served: Deployment, holder: Holder, upstream: FakeOpenAI
) -> None:
    before = len(upstream.requests)
    answer = _ask(
        served, holder, _body(stream=True, fake={"fault": "error_event", "fault_after": 0})
    )
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/json"
    assert UPSTREAM_SECRET not in answer.text
    # It is tried again, as any failure is that nobody bills.
    assert len(upstream.requests) == before + 2
    record = _only_record(served, holder)
    assert (record["status"], record["cost_usd"]) == ("error", 0)


@pytest.mark.parametrize("fault", ["rst", "fin"])
def test_a_plain_answer_that_breaks_off_is_a_bad_gateway_charged_in_full(
    served: Deployment, holder: Holder, fault: str
) -> None:
    body = _body(fake={"fault": fault, "fault_after": 30})
    answer = _ask(served, holder, body)
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "upstream_broken"
    record = _only_record(served, holder)
    assert (record["status"], record["is_estimated"]) == ("error", True)
    assert record["cost_usd"] == _hold_usd(body)


def test_a_provider_that_is_not_there_costs_nothing(
    dynoxide: str, upstream: FakeOpenAI, served: Deployment, holder: Holder, tmp_path: Path
) -> None:
    config = tmp_path / "config.yml"
    config.write_text("providers: {openai: {api_key: sk-nobody, api_base: 'http://127.0.0.1:9'}}")
    with served.running(config=str(config)):
        answer = _ask(served, holder, _body())
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "upstream_unreachable"
    assert _only_record(served, holder)["cost_usd"] == 0


def test_a_slow_client_gets_every_byte_while_others_are_served(
    served: Deployment, holder: Holder
) -> None:
    body = _body(stream=True, n=20, fake={"completion_tokens": 200})
    with _send(served, holder, body, receive_buffer_bytes=4096) as slow:
        assert _ask(served, served.holder(), _body()).status_code == 200
        content = slow.response().body
    assert content.count(b'"content":"w199 "') == 20
    assert content.endswith(DONE)
    record = _only_record(served, holder)
    assert (record["status"], record["output_tokens"]) == ("success", 4_000)


def test_no_engine_means_no_spending(tmp_path: Path, upstream: FakeOpenAI) -> None:
    """Without the ledger a request is refused within seconds and its provider hears nothing."""
    with engines.dynoxide() as endpoint:
        deployment = Deployment(tmp_path, endpoint, upstream)
        gateway = deployment.process()
        gateway.start()
        holder = deployment.holder("1")
        assert _ask(deployment, holder, _body()).status_code == 200
    try:
        before = len(upstream.requests)
        answer = _ask(deployment, holder, _body())
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "store_unavailable"
        assert len(upstream.requests) == before
        assert httpx2.get(f"{gateway.url}/health/readiness", timeout=20).status_code == 503
        assert gateway.is_alive()
    finally:
        assert gateway.stop() == 0
        deployment.books.close()
