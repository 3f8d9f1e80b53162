"""Requests and clients that outlive the time they have, on a gateway that gives them little."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest

from tests.e2e.deployment import MODEL
from tests.e2e.gateway_process import until
from tests.e2e.raw_http import Connection, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.deployment import Deployment, Holder
    from tests.fakes.openai_upstream import FakeOpenAI

CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def hasty(deployment: Deployment) -> Iterator[Deployment]:
    """Requests may take a second and a half, holds live little longer."""
    with deployment.running(request_timeout_s="1.5", hold_margin_s="0.5", sweep_interval_s="0.5"):
        yield deployment


@pytest.fixture
def holder(hasty: Deployment) -> Holder:
    return hasty.holder("1")


def _body(*, stream: bool = False, fake: dict[str, Any], **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Grüezi!"}]
    body = {"model": MODEL, "messages": messages, "max_tokens": 50, "stream": stream}
    return {**body, "fake": fake, **fields}


def _only_record(deployment: Deployment, holder: Holder) -> dict[str, Any]:
    """The one record of a holder, once it is there and its money is settled."""
    assert until(lambda: deployment.books.records(holder.user_id) != [])
    assert until(lambda: deployment.account(holder).holds == ())
    deployment.check_closed(holder)
    (record,) = deployment.books.records(holder.user_id)
    return record


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_provider_that_says_nothing_is_given_up_and_not_asked_again(
    hasty: Deployment, holder: Holder, upstream: FakeOpenAI, *, stream: bool
) -> None:
    before = len(upstream.requests)
    began = time.monotonic()
    body = _body(stream=stream, fake={"hang": True})
    fake = {"fake": body.pop("fake")}
    with (
        openai.OpenAI(api_key=holder.key, base_url=f"{hasty.gateway.url}/v1") as client,
        pytest.raises(openai.InternalServerError) as caught,
    ):
        client.chat.completions.create(**body, extra_body=fake)
    assert caught.value.status_code == 504
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(upstream.requests) - before == 1
    assert time.monotonic() - began > 1.4
    assert upstream.wait_until(lambda: upstream.last.disconnected)
    record = _only_record(hasty, holder)
    assert (record["status"], record["is_estimated"]) == ("error", True)
    assert record["cost_usd"] > 0


def test_a_stream_that_falls_silent_is_ended_at_the_requests_deadline(
    hasty: Deployment, holder: Holder, upstream: FakeOpenAI
) -> None:
    body = _body(stream=True, fake={"fault": "stall", "fault_after": 4})
    answer = httpx2.post(hasty.gateway.url + CHAT, json=body, headers=holder.headers, timeout=20)
    assert b'"code":"upstream_timeout"' in answer.content
    assert answer.content.endswith(b"data: [DONE]\n\n")
    assert upstream.wait_until(lambda: upstream.last.disconnected)
    assert _only_record(hasty, holder)["cost_usd"] > 0


def test_a_client_that_stops_reading_is_let_go_when_its_time_is_over(
    hasty: Deployment, holder: Holder, upstream: FakeOpenAI
) -> None:
    burst = {"completion_tokens": 200, "fault": "stall", "fault_after": 20_000}
    body = _body(stream=True, n=100, fake=burst)
    with Connection(hasty.gateway.port, receive_buffer_bytes=4096) as stuck:
        stuck.send(message("POST", CHAT, holder.headers, json.dumps(body).encode()))
        stuck.head()
        record = _only_record(hasty, holder)
        assert upstream.wait_until(lambda: upstream.last.disconnected)
    # On a busy machine the deadline may come before the buffers between the two are full.
    assert record["status"] in ("disconnected", "error")
    assert record["is_estimated"]
    assert record["cost_usd"] > 0
