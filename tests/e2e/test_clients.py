"""Requests as other clients put them on the wire: any-llm, otari, litellm, langchain.

Shapes were captured from the clients; here they are sent without them.
"""

from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.e2e.deployment import MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.e2e.deployment import Deployment, Holder
    from tests.fakes.openai_upstream import FakeOpenAI

HELLO = [{"role": "user", "content": "Hi"}]
STAINLESS = {
    "accept": "application/json",
    "user-agent": "OpenAI/Python 1.99.0",
    "x-stainless-lang": "python",
    "x-stainless-package-version": "1.99.0",
    "x-stainless-retry-count": "0",
    "x-stainless-read-timeout": "600",
}


@pytest.fixture(scope="module")
def holder(served: Deployment) -> Holder:
    return served.holder("1")


@pytest.fixture(scope="module")
def client(served: Deployment) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{served.gateway.url}/v1", timeout=20) as made:
        yield made


def _bearer(*names: str) -> Callable[[str], dict[str, str]]:
    return lambda key: dict.fromkeys(names, f"Bearer {key}")


CLIENTS: Mapping[str, Callable[[str], dict[str, str]]] = {
    "openai": _bearer("Authorization"),
    "any-llm 1.3 to 1.14": _bearer("X-AnyLLM-Key", "Authorization"),
    "any-llm 1.15": _bearer("AnyLLM-Key", "Authorization"),
    "any-llm in platform mode": _bearer("Authorization"),
    "any-llm over otari": _bearer("Otari-Key"),
    "any-llm for TypeScript": _bearer("AnyLLM-Key"),
    "litellm for Anthropic": lambda key: {"x-api-key": key},
}


@pytest.mark.parametrize("name", CLIENTS)
def test_each_client_is_known_by_the_headers_it_sends(
    client: httpx2.Client, holder: Holder, upstream: FakeOpenAI, name: str
) -> None:
    headers = {**STAINLESS, **CLIENTS[name](holder.key)}
    body = {"model": MODEL, "messages": HELLO, "max_completion_tokens": 3}
    answer = client.post("/chat/completions", json=body, headers=headers)
    assert answer.json()["choices"][0]["message"]["content"] == "w0 w1 w2"
    sent = json.dumps(dict(upstream.last.headers))
    assert holder.key not in sent
    assert "stainless" not in sent
    models = client.get("/models", headers=headers).json()["data"]
    assert MODEL in [model["id"] for model in models]


def test_a_placeholder_in_authorization_yields_to_the_clients_own_header(
    client: httpx2.Client, holder: Holder
) -> None:
    headers = {"AnyLLM-Key": f"Bearer {holder.key}", "Authorization": "Bearer unused"}
    body = {"model": MODEL, "messages": HELLO}
    assert client.post("/chat/completions", json=body, headers=headers).status_code == 200


def test_a_model_written_with_a_slash_is_the_same_model(
    served: Deployment, client: httpx2.Client, holder: Holder, upstream: FakeOpenAI
) -> None:
    body = {"model": "openai/fake", "messages": HELLO, "max_tokens": 1}
    assert client.post("/chat/completions", json=body, headers=holder.headers).is_success
    assert upstream.last.json()["model"] == "fake"
    row = served.usage(holder)[0]
    assert (row["provider"], row["model"]) == ("openai", "fake")


def test_only_the_first_delimiter_of_a_models_name_counts(
    served: Deployment, client: httpx2.Client, holder: Holder, upstream: FakeOpenAI
) -> None:
    name = "openai:meta/llama-3:free"
    served.price(name, output="1")
    body = {"model": name, "messages": HELLO, "max_tokens": 1}
    assert client.post("/chat/completions", json=body, headers=holder.headers).is_success
    assert upstream.last.json()["model"] == "meta/llama-3:free"
    assert client.get(f"/models/{name}", headers=holder.headers).json()["id"] == name


def test_langchain_says_that_it_does_not_stream(
    client: httpx2.Client, holder: Holder, upstream: FakeOpenAI
) -> None:
    body: dict[str, Any] = {
        "messages": HELLO,
        "model": MODEL,
        "stream": False,
        "temperature": None,
        "n": 1,
        "max_completion_tokens": 5,
    }
    answer = client.post("/chat/completions", json=body, headers=holder.headers)
    assert answer.json()["usage"]["total_tokens"] == 14
    sent = upstream.last.json()
    assert (sent["stream"], sent["temperature"], sent["n"]) == (False, None, 1)
    assert "stream_options" not in sent


def test_langchain_sends_token_ids_for_embeddings_and_decodes_base64(
    client: httpx2.Client, holder: Holder, upstream: FakeOpenAI
) -> None:
    body: dict[str, Any] = {"input": [[6151, 11]], "model": MODEL, "encoding_format": "base64"}
    answer = client.post("/embeddings", json=body, headers=holder.headers).json()
    assert upstream.last.json() == {**body, "model": "fake"}
    vector = struct.unpack("<8f", base64.b64decode(answer["data"][0]["embedding"]))
    assert all(0 <= number < 1 for number in vector)


def test_litellm_streams_with_usage_and_names_its_own_user_in_the_body(
    client: httpx2.Client, holder: Holder
) -> None:
    body = {
        "model": MODEL,
        "messages": HELLO,
        "max_tokens": 2,
        "stream": True,
        "stream_options": {"include_usage": True},
        "user": holder.user_id,
        "extra_body": {},
        "drop_params": True,
    }
    answer = client.post("/chat/completions", json=body, headers=holder.headers)
    events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert events[-1] == "[DONE]"
    usages = [json.loads(event)["usage"] for event in events[:-1]]
    assert usages[:-1] == [None] * (len(usages) - 1)
    assert usages[-1]["completion_tokens"] == 2


def test_a_question_mark_beta_changes_nothing(client: httpx2.Client, holder: Holder) -> None:
    body = {"model": MODEL, "messages": HELLO}
    answer = client.post("/chat/completions?beta=true", json=body, headers=holder.headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "br, gzip", "identity"])
def test_a_client_that_takes_compression_gets_what_it_can_read(
    client: httpx2.Client, holder: Holder, encoding: str
) -> None:
    body = {"model": MODEL, "messages": HELLO, "max_tokens": 2, "fake": {"gzip": True}}
    headers = {**holder.headers, "accept-encoding": encoding}
    for stream in (False, True):
        answer = client.post("/chat/completions", json={**body, "stream": stream}, headers=headers)
        assert "w1" in answer.text


def test_fields_of_idempotency_and_tracing_reach_the_provider_and_cookies_do_not(
    client: httpx2.Client, holder: Holder, upstream: FakeOpenAI
) -> None:
    headers = {
        **holder.headers,
        "idempotency-key": "once",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "openai-organization": "org-of-the-caller",
        "cookie": "session=secret",
        "x-forwarded-for": "10.0.0.1",
    }
    body = {"model": MODEL, "messages": HELLO}
    assert client.post("/chat/completions", json=body, headers=headers).is_success
    got = upstream.last.headers
    assert got["idempotency-key"]
    assert got["traceparent"].startswith("00-0af7")
    assert not {"cookie", "x-forwarded-for", "openai-organization"} & set(got)


ERRORS: Mapping[str, tuple[int, dict[str, Any]]] = {
    "unpriced": (402, {"model": "openai:other", "messages": HELLO}),
    "unknown provider": (404, {"model": "nobody:m", "messages": HELLO}),
    "no provider": (400, {"model": "gpt", "messages": HELLO}),
    "no messages": (422, {"model": MODEL, "messages": []}),
    "somebody else": (403, {"model": MODEL, "messages": HELLO, "user": "x"}),
    "provider": (502, {"model": MODEL, "messages": HELLO, "fake": {"status": 500}}),
}


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_carries_what_both_families_of_clients_read(
    client: httpx2.Client, holder: Holder, name: str
) -> None:
    status, body = ERRORS[name]
    answer = client.post("/chat/completions", json=body, headers=holder.headers)
    assert answer.status_code == status
    told = answer.json()
    assert set(told) == {"detail", "error"}
    assert set(told["error"]) == {"message", "type", "param", "code"}
    assert told["error"]["message"]
    assert answer.headers["x-correlation-id"] == answer.headers["x-request-id"]
