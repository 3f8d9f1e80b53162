"""A call for every operation of every row, and what each one sends.

A call is made the way the data plane makes it: a caller's body is parsed, finds its passage to the
model's dialect, becomes the provider's request and is authorized. Only the host is another one: the
origin of the fake provider takes the place of the address's, whose own is told beside.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bursar.dialects.messages_count import parse_count_tokens
from bursar.dialects.request import Terms
from bursar.services.targets import outgoing, passage_of, terms_of
from bursar.upstream.catalogue import load_catalogue
from bursar.upstream.provider_settings import ProviderSettings
from bursar.upstream.targets import resolve_targets
from functions.proxy.inbound import INBOUND
from tests.fakes.forms import CONTENT_TYPE as FORM
from tests.fakes.forms import form, wav
from tests.fakes.service_account import key_file

if TYPE_CHECKING:
    from bursar.dialects.passage import Passage
    from bursar.dialects.request import InferenceRequest
    from bursar.domain.upstream import Endpoint, Provider, Target, UpstreamRequest

CATALOGUE = load_catalogue()
KEY = "sk-conformance-0123456789"
JSON = "application/json"
_ASKED = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
# The caller's path by the operation that its provider serves, and what it sends there.
_BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"messages": _ASKED["messages"]}),
    "responses": ("/v1/responses", {"input": "Hi"}),
    "messages": ("/v1/messages", _ASKED),
    "converse": ("/v1/chat/completions", {"messages": _ASKED["messages"]}),
    "embeddings": ("/v1/embeddings", {"input": "Hi"}),
    "titan_embeddings": ("/v1/embeddings", {"input": "Hi"}),
    "cohere_embeddings": ("/v1/embeddings", {"input": "Hi"}),
    "nova_embeddings": ("/v1/embeddings", {"input": "Hi"}),
    "images": ("/v1/images/generations", {"prompt": "a hat"}),
    "speech": ("/v1/audio/speech", {"input": "Hi", "voice": "alloy"}),
    "moderations": ("/v1/moderations", {"input": "Hi"}),
    "rerank": ("/v1/rerank", {"query": "q", "documents": ["a", "b"]}),
}
_FORMS: dict[str, tuple[str, tuple[str, str, str, bytes]]] = {
    "image_edits": ("/v1/images/edits", ("image", "a.png", "image/png", b"png")),
    "transcriptions": ("/v1/audio/transcriptions", ("file", "a.wav", "audio/wav", wav(0.1))),
    "translations": ("/v1/audio/translations", ("file", "a.wav", "audio/wav", wav(0.1))),
}
STREAMED = ("chat", "responses", "messages", "converse")
# A value for each field that some row renames or drops.
FIELD_VALUES: dict[str, Any] = {
    "dimensions": 64,
    "encoding_format": "float",
    "max_completion_tokens": 7,
    "metadata": {"a": "b"},
    "prompt_cache_key": "k",
    "safety_identifier": "s",
    "seed": 3,
    "store": True,
    "stream_options": {"include_usage": True},
    "top_n": 1,
    "user": "alice",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One operation of one provider, streamed or whole."""

    provider: str
    operation: str
    is_streamed: bool = False

    def __str__(self) -> str:
        return f"{self.provider}-{self.operation}{'-streamed' if self.is_streamed else ''}"

    @property
    def row(self) -> Provider:
        return CATALOGUE[self.provider]

    @property
    def endpoint(self) -> Endpoint:
        return self.row.endpoints[self.operation]

    @property
    def model(self) -> str:
        for rule in self.row.model_rules:
            if self.operation in rule.operations:
                return rule.pattern.replace("*", "v1:0")
        return "maker/model@1"

    @property
    def quirks(self) -> set[str]:
        """Fields that a caller may send and this endpoint wants otherwise."""
        named = {*self.endpoint.renamed_fields, *self.endpoint.dropped_fields} - {"model"}
        return named - ({"stream_options"} if not self.is_streamed else set())


def calls() -> list[Call]:
    found = [Call(name, it) for name, row in CATALOGUE.items() for it in row.endpoints]
    return found + [replace(it, is_streamed=True) for it in found if it.operation in STREAMED]


def target_of(call: Call, token_url: str) -> Target:
    """The provider at the catalogue's address if it has one, with a value for each parameter."""
    row = call.row
    given = {it: f"a-{it}" for it in row.parameters if it not in ("tenant_id", "client_id")}
    given.pop("credentials_file", None)
    settings = ProviderSettings(
        api_key=_key(row),
        api_base=None if row.base_url else "https://host.example/base",
        parameters={**given, "token_url": token_url},
    )
    found = resolve_targets({row.name: settings}, {}, CATALOGUE)[row.name]
    return replace(found, allows_private=True)


def upstream_request(call: Call, target: Target) -> UpstreamRequest:
    """What the data plane would send."""
    content, content_type, path = _content(call)
    if call.operation == "count_tokens":
        request: InferenceRequest = parse_count_tokens(content)
    else:
        request = INBOUND[path].parse(content, content_type)
    headers = {"anthropic-beta": "a-beta", "openai-beta": "o-beta"}
    passage = passage_of(request, target, call.model, 1_790_000_000)
    assert passage.operation == call.operation
    return _outgoing(target, passage, request, call.model, headers)


def sent_for(provider: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The body that a chat request with more fields becomes."""
    target = target_of(Call(provider, "chat"), "https://token.example")
    path, body = _BODIES["chat"]
    raw = json.dumps({**body, "model": f"{provider}:m", **fields}).encode()
    request = INBOUND[path].parse(raw, JSON)
    made = _outgoing(target, passage_of(request, target, "m", 0), request, "m", {})
    return {name: value for name, value in json.loads(made.body).items() if name not in body}


def moved(request: UpstreamRequest, origin: str) -> UpstreamRequest:
    """The same request to another host."""
    return replace(request, url=origin + urlunsplit(("", "", *urlsplit(request.url)[2:])))


@cache
def private_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _key(row: Provider) -> str | None:
    if row.auth in ("aws", "sagemaker"):
        return None
    return key_file(private_key()) if row.auth == "google" else KEY


def _content(call: Call) -> tuple[bytes, str, str]:
    """What the caller sends, its type, and where to."""
    model = f"{call.provider}:{call.model}"
    if call.operation in _FORMS:
        path, file = _FORMS[call.operation]
        return form([("model", model), ("prompt", "a hat"), file]), FORM, path
    path, body = _BODIES["messages" if call.operation == "count_tokens" else call.operation]
    body = {**body, "model": model, **{name: FIELD_VALUES[name] for name in call.quirks}}
    if call.operation == "count_tokens":
        del body["max_tokens"]
    if call.is_streamed:
        body["stream"] = True
    return json.dumps(body).encode(), JSON, path


def _outgoing(
    target: Target,
    passage: Passage,
    request: InferenceRequest,
    model: str,
    headers: dict[str, str],
) -> UpstreamRequest:
    endpoint = target.provider.endpoints[passage.operation]
    terms = terms_of(target, endpoint, Terms(model, output_tokens_max=100))
    return outgoing(target, passage, request, terms=terms, headers=headers, request_id="req-1")
