"""The clouds' providers, called through the whole data plane: dialect, address, authorization.

The providers' side is played over a real socket by a server that answers in their own dialects and
checks who is calling as they do: AWS's signature by botocore's, Google's assertion by its key.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import msgspec
import pytest
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bursar import bootstrap
from bursar.dialects.messages_request import parse_messages
from bursar.dialects.openai_chat import parse_chat
from bursar.dialects.openai_embeddings import parse_embeddings
from bursar.domain.errors import UpstreamUnreachable
from bursar.domain.ids import request_id
from bursar.services.answers import WholeAnswer
from bursar.services.policy import Policy
from bursar.settings import Settings
from bursar.upstream.aiohttp_client import AiohttpUpstream
from bursar.upstream.httpcore2_client import Httpcore2Upstream
from bursar.upstream.provider_settings import ProviderSettings
from tests.contracts.catalogue_calls import private_key
from tests.fakes.event_stream import event
from tests.fakes.http_server import Exchange, HttpServer, RecordedRequest
from tests.fakes.service_account import key_file
from tests.fakes.world import World, drained

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from bursar.bootstrap import ProxyServices
    from bursar.dialects.request import InferenceRequest

MASTER_KEY = "the-master-key-of-these-tests"
ROLE = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIDROLE",
    "AWS_SECRET_ACCESS_KEY": "the-secret-of-the-role",
    "AWS_SESSION_TOKEN": "the/session+token=",
}
ASKED = [{"role": "user", "content": "Hi"}]
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "Hello!"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 5, "output_tokens": 3},
}
COMPLETION = {
    "id": "c-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-oss",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hello!"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8},
}
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello!"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 5, "outputTokens": 3, "totalTokens": 8},
    "metrics": {"latencyMs": 1},
}
CONVERSE_STREAM = b"".join(
    event(it)
    for it in (
        {"messageStart": {"role": "assistant"}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Hello!"}}},
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": CONVERSED["usage"], "metrics": {"latencyMs": 1}}},
    )
)


class FakeCloud(HttpServer):
    """Answers in the dialect of the path that it is asked at."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.refused_tokens: set[str] = set()
        self.exchanges = 0

    @property
    def calls(self) -> list[RecordedRequest]:
        return [it for it in self.requests if it.route != "/token"]

    async def _answer(self, exchange: Exchange) -> None:
        request = exchange.request
        if request.headers.get("authorization", "").removeprefix("Bearer ") in self.refused_tokens:
            await exchange.answer(401, {"content-type": "application/json"}, b"{}")
        elif request.route.endswith("/converse-stream"):
            kind = {"content-type": "application/vnd.amazon.eventstream"}
            await exchange.answer(200, kind, CONVERSE_STREAM)
        else:
            body = json.dumps(self._document(request)).encode()
            await exchange.answer(200, {"content-type": "application/json"}, body)

    def _document(self, request: RecordedRequest) -> dict[str, Any]:
        route = request.route
        if route == "/token":
            self.exchanges += 1
            return {"access_token": f"token-{self.exchanges}", "expires_in": 3600}
        if route.endswith(("/v1/messages", ":rawPredict")):
            return MESSAGE
        if route.endswith("/converse"):
            return CONVERSED
        if route.endswith("/invoke"):
            return {"embedding": [0.5, 0.25], "inputTextTokenCount": 4}
        return COMPLETION


@pytest.fixture
def cloud() -> Iterator[FakeCloud]:
    with FakeCloud() as started:
        yield started


class Gateway:
    """The data plane of a process, with stores in memory and clients that are real."""

    def __init__(self, client: AiohttpUpstream | Httpcore2Upstream) -> None:
        self.client = client
        self.world = World()
        self.services: ProxyServices | None = None

    def configure(self, environ: dict[str, str], **settings: Any) -> None:
        given = Settings(
            master_key=MASTER_KEY,
            policy=Policy(directory_age_s=0, allow_unpriced=True),
            **{"allow_private_upstreams": True, **settings},
        )
        reached = bootstrap.providers(given, environ, self.client)
        self.services = bootstrap.proxy_services(given, self.world.storage, reached)

    async def ask(
        self, parse: Callable[[bytes], InferenceRequest], **body: Any
    ) -> dict[str, Any] | bytes:
        assert self.services is not None
        raw = msgspec.json.encode({"user": "alice", **body})
        headers = {"authorization": f"Bearer {MASTER_KEY}"}
        now = datetime.now(UTC)
        answer = await self.services.completion.serve(request_id(now), headers, raw, parse)
        if not isinstance(answer, WholeAnswer):
            return await drained(answer)
        assert answer.status == 200
        decoded: dict[str, Any] = json.loads(answer.body)
        return decoded

    async def chat(self, model: str, **more: Any) -> Any:
        return await self.ask(parse_chat, model=model, messages=ASKED, **more)


@pytest.fixture(params=[AiohttpUpstream, Httpcore2Upstream], ids=["aiohttp", "httpcore2"])
async def gateway(request: pytest.FixtureRequest) -> AsyncIterator[Gateway]:
    made = Gateway(request.param())
    await made.world.user()
    yield made
    await made.client.close()


def botocores(request: RecordedRequest, origin: str) -> str:
    """What botocore would sign the request that arrived with."""
    moment = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    content_type = {"content-type": request.headers["content-type"]}
    signed = AWSRequest("POST", origin + request.path, headers=content_type, data=request.body)
    keys = Credentials(
        ROLE["AWS_ACCESS_KEY_ID"], ROLE["AWS_SECRET_ACCESS_KEY"], ROLE["AWS_SESSION_TOKEN"]
    )
    with time_machine.travel(moment, tick=False):
        SigV4Auth(keys, "bedrock", "eu-west-1").add_auth(signed)
    authorization: str = signed.headers["Authorization"]
    return authorization


@pytest.mark.parametrize(
    ("model", "path", "is_streamed"),
    [
        ("eu.anthropic.claude-sonnet-4-5-v1:0", "/anthropic/v1/messages", False),
        ("openai.gpt-oss-120b-1:0", "/openai/v1/chat/completions", False),
        ("amazon.nova-pro-v1:0", "/model/amazon.nova-pro-v1%3A0/converse", False),
        ("amazon.nova-pro-v1:0", "/model/amazon.nova-pro-v1%3A0/converse-stream", True),
        (
            "arn:aws:bedrock:eu-west-1:1:application-inference-profile/x",
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fx/converse",
            False,
        ),
    ],
)
async def test_bedrock_is_called_by_the_processs_role_in_the_models_own_dialect(
    gateway: Gateway, cloud: FakeCloud, model: str, path: str, *, is_streamed: bool
) -> None:
    environ = {**ROLE, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": cloud.origin}
    gateway.configure(environ, role_providers=("bedrock",))
    answer = await gateway.chat(f"bedrock:{model}", stream=is_streamed)
    if is_streamed:
        assert b'"content":"Hello!"' in answer
        assert answer.endswith(b"data: [DONE]\n\n")
    else:
        assert answer["choices"][0]["message"]["content"] == "Hello!"
        assert answer["usage"]["total_tokens"] == 8
    [called] = cloud.calls
    assert called.path == path
    assert called.headers["authorization"] == botocores(called, cloud.origin)
    assert called.headers["x-amz-security-token"] == ROLE["AWS_SESSION_TOKEN"]
    record = await gateway.world.record()
    assert (record.provider, record.model) == ("bedrock", model)
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens) == (5, 3)


async def test_claude_on_bedrock_gets_the_bytes_of_a_caller_who_speaks_its_dialect(
    gateway: Gateway, cloud: FakeCloud
) -> None:
    environ = {**ROLE, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": cloud.origin}
    gateway.configure(environ, role_providers=("bedrock",))
    model = "bedrock:anthropic.claude-haiku-4-5-v1:0"
    more = {"max_tokens": 9, "unknown_field": {"kept": True}, "metadata": {"user_id": "alice"}}
    answer = await gateway.ask(parse_messages, model=model, messages=ASKED, **more)
    assert answer == MESSAGE
    [called] = cloud.calls
    assert called.json()["unknown_field"] == {"kept": True}
    assert called.headers["anthropic-version"] == "2023-06-01"


async def test_embeddings_of_titan_are_those_of_the_openai_dialect_for_the_caller(
    gateway: Gateway, cloud: FakeCloud
) -> None:
    environ = {**ROLE, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": cloud.origin}
    gateway.configure(environ, role_providers=("bedrock",))
    model = "bedrock:amazon.titan-embed-text-v2:0"
    answer = await gateway.ask(parse_embeddings, model=model, input="Hi")
    assert isinstance(answer, dict)
    assert answer["data"][0]["embedding"] == [0.5, 0.25]
    [called] = cloud.calls
    assert unquote(called.path) == "/model/amazon.titan-embed-text-v2:0/invoke"
    assert called.headers["authorization"] == botocores(called, cloud.origin)


async def test_bedrocks_own_key_is_sent_as_it_is(gateway: Gateway, cloud: FakeCloud) -> None:
    base = {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": cloud.origin}
    gateway.configure({**ROLE, **base, "AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key-1"})
    await gateway.chat("bedrock:openai.gpt-oss-20b-1:0")
    [called] = cloud.calls
    assert called.headers["authorization"] == "Bearer bedrock-api-key-1"
    assert "x-amz-date" not in called.headers


async def test_an_endpoint_of_sagemakers_is_a_model(gateway: Gateway, cloud: FakeCloud) -> None:
    environ = {**ROLE, "SAGEMAKER_ENDPOINT_URL": cloud.origin}
    gateway.configure(environ, role_providers=("sagemaker",))
    await gateway.chat("sagemaker:my-llama")
    [called] = cloud.calls
    assert called.path == "/endpoints/my-llama/openai/v1/chat/completions"
    assert called.json()["model"] == ""
    assert re.fullmatch(r"Bearer sagemaker-api-key-[\w+/=]+", called.headers["authorization"])


def vertex(cloud: FakeCloud) -> ProviderSettings:
    parameters = {"location": "europe-west1", "token_url": f"{cloud.origin}/token"}
    return ProviderSettings(key_file(private_key()), api_base=cloud.origin, parameters=parameters)


async def test_claude_on_vertex_is_called_with_a_service_accounts_token(
    gateway: Gateway, cloud: FakeCloud
) -> None:
    gateway.configure({}, providers={"vertexaianthropic": vertex(cloud)})
    for _ in range(2):
        answer = await gateway.chat("vertexaianthropic:claude-sonnet-4-5@20250929")
        assert answer["choices"][0]["message"]["content"] == "Hello!"
    assert cloud.exchanges == 1
    called = cloud.calls[-1]
    path = "/v1/projects/bursar-tests/locations/europe-west1/publishers/anthropic/models"
    assert unquote(called.path) == f"{path}/claude-sonnet-4-5@20250929:rawPredict"
    assert called.headers["authorization"] == "Bearer token-1"
    body = called.json()
    assert body["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in body
    _check_assertion(next(it for it in cloud.requests if it.route == "/token"), cloud)


def _check_assertion(exchange: RecordedRequest, cloud: FakeCloud) -> None:
    """As Google checks it: signed by the account's key, for this endpoint, for an hour."""
    signed, _, signature = dict(parse_qsl(exchange.body.decode()))["assertion"].rpartition(".")
    key = serialization.load_pem_private_key(private_key().encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    raw = urlsafe_b64decode(signature + "==")
    key.public_key().verify(raw, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    claims = json.loads(urlsafe_b64decode(signed.partition(".")[2] + "=="))
    assert claims["aud"] == f"{cloud.origin}/token"
    assert claims["exp"] - claims["iat"] == 3600


async def test_a_token_that_cannot_be_had_costs_nothing(gateway: Gateway, cloud: FakeCloud) -> None:
    nowhere = {"token_url": "http://127.0.0.1:9/token"}
    own = ProviderSettings("ibm-key", api_base=cloud.origin, parameters=nowhere)
    gateway.configure({}, providers={"watsonx": own})
    with pytest.raises(UpstreamUnreachable, match="watsonx's token endpoint could not be reached"):
        await gateway.chat("watsonx:ibm/granite")
    assert cloud.calls == []
    assert (await gateway.world.record()).cost_usd == 0


async def test_a_private_address_is_refused_through_the_whole_data_plane(
    gateway: Gateway, cloud: FakeCloud
) -> None:
    own = ProviderSettings("sk-1", api_base=f"{cloud.origin}/v1")
    gateway.configure({}, providers={"openai": own}, allow_private_upstreams=False)
    with pytest.raises(UpstreamUnreachable, match="BURSAR_ALLOW_PRIVATE_UPSTREAMS"):
        await gateway.chat("openai:gpt-4o")
    assert cloud.requests == []
    assert (await gateway.world.record()).cost_usd == 0


async def test_a_server_of_ones_own_may_speak_anthropics_dialect_to_callers_of_openais(
    gateway: Gateway, cloud: FakeCloud
) -> None:
    own = ProviderSettings("sk-1", api_base=cloud.origin, dialect="anthropic")
    gateway.configure({}, providers={"claude-proxy": own})
    answer = await gateway.chat("claude-proxy:claude")
    assert answer["choices"][0]["message"]["content"] == "Hello!"
    [called] = cloud.calls
    assert (called.path, called.headers["x-api-key"]) == ("/v1/messages", "sk-1")
