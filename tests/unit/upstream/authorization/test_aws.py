from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from bursar.domain.errors import UpstreamUnreachable
from bursar.domain.upstream import Authorization, UpstreamRequest
from bursar.upstream.authorization.authorizing import AuthorizingUpstream
from bursar.upstream.authorization.schemes import schemes
from tests.fakes.token_endpoint import TokenWorld

NOW = datetime(2026, 11, 22, 18, 30, 1, tzinfo=UTC)
ROLE = {
    "AWS_ACCESS_KEY_ID": "AKIDROLE",
    "AWS_SECRET_ACCESS_KEY": "canary-secret",
    "AWS_SESSION_TOKEN": "session/token",
}
URL = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/amazon.nova-pro-v1%3A0/converse"
BODY = b'{"messages":[]}'


async def sent(
    scheme: str, environ: dict[str, str], secret: str | None = None, url: str = URL
) -> UpstreamRequest:
    world = TokenWorld()
    world.now_s = NOW.timestamp()
    upstream = AuthorizingUpstream(world, schemes(environ, world, world.clock))
    authorization = Authorization(scheme, secret, {"region": "eu-west-1"})
    headers = {"content-type": "application/json", "traceparent": "00-1-2-3"}
    await upstream.send(UpstreamRequest("bedrock", url, headers, BODY, authorization=authorization))
    return world.calls[0]


async def test_a_request_is_signed_with_the_processs_role_as_botocore_would() -> None:
    request = await sent("aws", ROLE)

    expected = AWSRequest("POST", URL, headers={"content-type": "application/json"}, data=BODY)
    keys = BotocoreCredentials(*ROLE.values())
    with time_machine.travel(NOW, tick=False):
        SigV4Auth(keys, "bedrock", "eu-west-1").add_auth(expected)
    assert request.headers["authorization"] == expected.headers["Authorization"]
    assert request.headers["x-amz-security-token"] == "session/token"
    assert request.headers["traceparent"] == "00-1-2-3"
    assert "canary-secret" not in str(request.headers)


@pytest.mark.parametrize("scheme", ["aws", "sagemaker"])
@pytest.mark.parametrize("secret", ["bedrock-api-key-1", ""])
async def test_a_key_travels_as_it_is_and_an_empty_one_does_not_become_the_role(
    scheme: str, secret: str
) -> None:
    request = await sent(scheme, ROLE, secret)
    assert request.headers["authorization"] == f"Bearer {secret}"
    assert "x-amz-date" not in request.headers


@pytest.mark.parametrize("scheme", ["aws", "sagemaker"])
async def test_a_process_without_a_role_cannot_call(scheme: str) -> None:
    with pytest.raises(UpstreamUnreachable, match="no AWS role or credentials"):
        await sent(scheme, {})


async def test_credentials_that_cannot_be_read_are_no_fault_of_the_provider() -> None:
    nobody = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/credentials"}
    with pytest.raises(UpstreamUnreachable, match="could not be read"):
        await sent("aws", nobody)


async def test_sagemakers_token_is_the_url_that_awss_own_sdk_signs() -> None:
    request = await sent("sagemaker", ROLE, url="https://runtime.sagemaker.example/x")

    token = request.headers["authorization"].removeprefix("Bearer sagemaker-api-key-")
    url = b64decode(token).decode()
    expected = AWSRequest(
        "POST",
        "https://sagemaker.amazonaws.com/",
        headers={"host": "sagemaker.amazonaws.com"},
        params={"Action": "CallWithBearerToken"},
    )
    keys = BotocoreCredentials(*ROLE.values())
    with time_machine.travel(NOW, tick=False):
        SigV4QueryAuth(keys, "sagemaker", "eu-west-1", expires=3600).add_auth(expected)
    assert url.endswith("&Version=1")
    assert urlsplit(f"https://{url}").netloc == "sagemaker.amazonaws.com"
    found = parse_qs(urlsplit(f"https://{url}").query)
    assert found == {**parse_qs(urlsplit(str(expected.url)).query), "Version": ["1"]}
    assert "canary-secret" not in url


async def test_sagemakers_token_is_kept_for_half_an_hour() -> None:
    world = TokenWorld()
    upstream = AuthorizingUpstream(world, schemes(ROLE, world, world.clock))
    authorization = Authorization("sagemaker", None, {"region": "eu-west-1"})
    for later_s in (0, 1700, 200):
        world.now_s += later_s
        await upstream.send(UpstreamRequest("s", URL, {}, BODY, authorization=authorization))
    first, second, third = (call.headers["authorization"] for call in world.calls)
    assert first == second != third
