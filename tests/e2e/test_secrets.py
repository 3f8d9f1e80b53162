"""Canaries: keys are sent through everything that can go wrong and looked for where it shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.e2e.deployment import MODEL, PROVIDER_KEY, Holder
from tests.e2e.gateway_process import MASTER_KEY, until
from tests.fakes.scripted_content import UPSTREAM_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.deployment import Deployment

CHAT = "/v1/chat/completions"
PROMPT = "prompt-canary-that-no-log-may-hold"


@pytest.fixture(scope="module")
def talkative(deployment: Deployment) -> Iterator[Deployment]:
    with deployment.running(log_level="DEBUG", request_timeout_s="3"):
        yield deployment


def _body(*, stream: bool = False, **behaviour: Any) -> bytes:
    messages = [{"role": "user", "content": PROMPT}]
    body = {"model": MODEL, "messages": messages, "max_tokens": 3, "stream": stream}
    return json.dumps({**body, "fake": behaviour}).encode()


TROUBLES = [
    _body(),
    _body(stream=True),
    _body(stream=True, fault="error_event", fault_after=2),
    _body(stream=True, fault="rst", fault_after=0),
    *[_body(status=status) for status in (400, 401, 403, 404, 429, 500, 503, 302)],
    *[_body(fault=fault, fault_after=9) for fault in ("rst", "fin")],
    _body(hang=True),
    b"{",
    json.dumps({"model": PROVIDER_KEY, "messages": []}).encode(),
]


def _all_that_was_said(deployment: Deployment, holder: Holder) -> str:
    """Bodies and headers of every answer to a request that goes wrong in one way or another."""
    url = deployment.gateway.url
    strangers = [
        {"authorization": f"Bearer {MASTER_KEY}x"},
        {"authorization": f"Bearer {holder.key}x"},
        {"authorization": f"Basic {holder.key}"},
        {"x-api-key": holder.key[:-1]},
    ]
    with httpx2.Client(base_url=url, timeout=20) as client:
        answers = [client.post(CHAT, content=body, headers=holder.headers) for body in TROUBLES]
        answers += [client.post(CHAT, content=_body(), headers=one) for one in strangers]
        answers += [client.get("/v1/keys", headers=one) for one in strangers]
        answers += [client.get(f"/v1/nothing?key={holder.key}", headers=holder.headers)]
        answers += [client.get("/v1/models", headers=holder.headers)]
    assert {200, 400, 401, 403, 404, 429, 502, 504} <= {answer.status_code for answer in answers}
    return "\n".join(f"{answer.headers!r} {answer.text}" for answer in answers)


def test_no_key_and_no_prompt_shows_in_answers_logs_or_books(talkative: Deployment) -> None:
    holder = talkative.holder("1")
    said = _all_that_was_said(talkative, holder)
    assert until(lambda: talkative.account(holder).holds == ())
    told = json.dumps(talkative.usage(holder)) + json.dumps(
        talkative.gateway.admin("GET", f"/v1/keys/{holder.key_id}")
    )
    gateway = talkative.gateway
    logged = gateway.stdout + gateway.stderr
    stored = json.dumps(list(talkative.books.items()))
    assert holder.user_id in stored
    assert len(talkative.usage(holder)) >= 14
    for secret in (PROVIDER_KEY, MASTER_KEY, holder.key):
        for where, text in (("logs", logged), ("books", stored), ("admin", told)):
            assert secret not in text, where
    # What the provider itself says in a 4xx is the caller's to read, and goes no further.
    for secret in (PROVIDER_KEY, MASTER_KEY):
        assert said.replace(f"Model '{PROVIDER_KEY}'", "").count(secret) == 0
    assert holder.key not in said
    assert UPSTREAM_SECRET not in logged
    assert PROMPT not in logged + stored + told


def test_a_providers_error_that_quotes_the_gateways_key_is_not_passed_on(
    talkative: Deployment, tmp_path: Path
) -> None:
    """Some providers quote the key that they refuse; the fake one quotes `UPSTREAM_SECRET`."""
    holder = talkative.holder()
    provider = {"api_key": UPSTREAM_SECRET, "api_base": talkative.upstream.base_url}
    config = tmp_path / "config.yml"
    config.write_text(json.dumps({"providers": {"openai": provider}}))
    with talkative.running(config=str(config)) as gateway:
        for status in (400, 401, 403, 404, 429):
            answer = httpx2.post(
                gateway.url + CHAT,
                content=_body(status=status),
                headers=holder.headers,
                timeout=30,
            )
            assert answer.status_code == status
            assert answer.json()["error"]["code"] == "provider_authentication"
            assert UPSTREAM_SECRET[:12] not in answer.text
    records = talkative.books.records(holder.user_id)
    assert len(records) == 5
    assert UPSTREAM_SECRET not in str(records)
    assert "[provider key]" in records[0]["error_message"]
    assert UPSTREAM_SECRET not in gateway.stdout + gateway.stderr
