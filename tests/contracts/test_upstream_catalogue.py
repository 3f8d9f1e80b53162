"""Every provider of the catalogue is called over a real socket as its row says.

The calls are made from the rows: a new row is called without a new test. Their addresses are held
against a table that was read by a person, `tests/vectors/providers/addresses.json`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from bursar.upstream.aiohttp_client import AiohttpUpstream
from bursar.upstream.authorization.authorizing import AuthorizingUpstream
from bursar.upstream.authorization.schemes import schemes
from tests.contracts.catalogue_calls import (
    CATALOGUE,
    FIELD_VALUES,
    JSON,
    KEY,
    Call,
    calls,
    moved,
    sent_for,
    target_of,
    upstream_request,
)
from tests.fakes.http_server import Exchange, HttpServer, RecordedRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESSES: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "vectors/providers/addresses.json").read_bytes()
)
TOKEN = "token-of-an-exchange"
ROLE = {"AWS_ACCESS_KEY_ID": "AKIDROLE", "AWS_SECRET_ACCESS_KEY": "canary-of-the-role"}
NOW_S = 1_790_000_000.0


class FakeProvider(HttpServer):
    """Answers every call, and exchanges every credential for the same token."""

    def __init__(self) -> None:
        super().__init__(self._answer)

    async def _answer(self, exchange: Exchange) -> None:
        body = b"{}"
        if exchange.request.route == "/token":
            body = json.dumps({"access_token": TOKEN, "expires_in": 3600}).encode()
        await exchange.answer(200, {"content-type": JSON}, body)


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as started:
        yield started


async def carried(fake: FakeProvider, call: Call) -> RecordedRequest:
    """What arrives at the provider."""
    request = upstream_request(call, target_of(call, f"{fake.origin}/token"))
    client = AiohttpUpstream()
    upstream = AuthorizingUpstream(client, schemes(ROLE, client, lambda: NOW_S))
    answer = await upstream.send(moved(request, fake.origin))
    assert answer.status == 200
    await answer.close()
    await upstream.close()
    return fake.last


every_call = pytest.mark.parametrize("call", calls(), ids=str)


@every_call
def test_an_operation_is_called_at_the_address_that_was_reviewed(call: Call) -> None:
    url = upstream_request(call, target_of(call, "https://token.example")).url
    name = f"{call.operation}, streamed" if call.is_streamed else call.operation
    reviewed = ADDRESSES[call.provider]
    assert url == reviewed.get(name, reviewed[call.operation])


def test_the_reviewed_addresses_are_those_of_the_catalogue() -> None:
    found = {name: set(row.endpoints) for name, row in CATALOGUE.items()}
    assert {
        name: {it.partition(",")[0] for it in table} for name, table in ADDRESSES.items()
    } == found


@every_call
async def test_a_call_arrives_at_its_path_with_its_key_and_its_headers(
    fake: FakeProvider, call: Call
) -> None:
    arrived = await carried(fake, call)
    assert arrived.method == "POST"
    expected = urlsplit(upstream_request(call, target_of(call, "https://token.example")).url)
    assert arrived.path == expected.path + (f"?{expected.query}" if expected.query else "")
    header, pattern = expected_authorization(call)
    assert re.fullmatch(pattern, arrived.headers[header])
    assert KEY not in str({k: v for k, v in arrived.headers.items() if k != header})
    assert "canary" not in str(arrived.headers)
    for name, value in call.endpoint.headers.items():
        assert arrived.headers[name] == value
    assert ("anthropic-version" in arrived.headers) is (
        call.operation in ("messages", "count_tokens")
    )


def expected_authorization(call: Call) -> tuple[str, str]:
    """The header that authorizes a call, and what its value looks like."""
    row, endpoint = call.row, call.endpoint
    if row.auth == "aws":
        scope = r"AKIDROLE/\d{8}/a-region/bedrock/aws4_request"
        signed = r"content-type;host;x-amz-date"
        return "authorization", (
            f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={signed}, Signature=[0-9a-f]{{64}}"
        )
    if row.auth == "sagemaker":
        return "authorization", r"Bearer sagemaker-api-key-[A-Za-z0-9+/=]+"
    if row.auth in ("google", "ibm"):
        return "authorization", f"Bearer {TOKEN}"
    header = row.auth_header if endpoint.auth_header is None else endpoint.auth_header
    prefix = row.auth_prefix if endpoint.auth_prefix is None else endpoint.auth_prefix
    return header, re.escape(prefix + KEY)


@every_call
async def test_a_body_arrives_with_the_fields_that_its_provider_knows(
    fake: FakeProvider, call: Call
) -> None:
    arrived = await carried(fake, call)
    if not arrived.headers["content-type"].startswith(JSON):
        assert call.model.encode() in arrived.body
        return
    body = arrived.json()
    endpoint = call.endpoint
    for name, known_as in endpoint.renamed_fields.items():
        assert name not in body
        assert body[known_as] == FIELD_VALUES[name]
    assert not endpoint.dropped_fields & body.keys()
    for name, value in endpoint.added_fields.items():
        assert body[name] == value
    if not _names_model_in_path(call) and "model" not in endpoint.added_fields:
        assert body["model"] == call.model
    if call.is_streamed and call.operation != "converse":
        assert body["stream"] is True
    if call.is_streamed and call.operation == "chat":
        assert ("stream_options" in body) is call.row.streams_usage


def _names_model_in_path(call: Call) -> bool:
    return "{model}" in call.endpoint.path


@pytest.mark.parametrize(
    ("provider", "sent", "arrived"),
    [
        ("mistral", {"seed": 1, "user": "u", "temperature": 0.5}, {"random_seed": 1}),
        ("github", {"max_completion_tokens": 9}, {"max_tokens": 9}),
        ("github", {"max_completion_tokens": 9, "max_tokens": 4}, {"max_tokens": 4}),
        ("cohere", {"stream": True, "stream_options": {"include_usage": True}}, {"stream": True}),
        ("deepseek", {"max_completion_tokens": 9}, {"max_tokens": 9}),
        ("ollama", {"max_completion_tokens": 9, "max_tokens": None}, {"max_tokens": 9}),
        ("openai", {"max_completion_tokens": 9}, {"max_completion_tokens": 9}),
    ],
)
def test_quirks_that_were_reviewed_are_in_the_rows(
    provider: str, sent: dict[str, Any], arrived: dict[str, Any]
) -> None:
    kept = {name: value for name, value in sent.items() if name == "temperature"}
    assert sent_for(provider, sent) == {"model": "m", **kept, **arrived}
