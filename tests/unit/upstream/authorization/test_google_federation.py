from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bursar.domain.errors import UpstreamUnreachable
from bursar.domain.upstream import Authorization, UpstreamRequest
from bursar.upstream.authorization.aws import RoleCredentials
from bursar.upstream.authorization.google import GoogleScheme
from tests.fakes.service_account import AUDIENCE, EMAIL, federation_file
from tests.fakes.token_endpoint import TokenWorld

if TYPE_CHECKING:
    from pathlib import Path

ROLE = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIDROLE",
    "AWS_SECRET_ACCESS_KEY": "canary-secret",
    "AWS_SESSION_TOKEN": "session/token",
}
STS = "https://sts.eu-west-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
ACCOUNTS = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"
IMPERSONATION = {"service_account_impersonation_url": f"{ACCOUNTS}/{EMAIL}:generateAccessToken"}


async def granted(
    world: TokenWorld,
    secret: str | None,
    *,
    environ: dict[str, str] | None = None,
    parameters: dict[str, str] | None = None,
) -> str:
    request = UpstreamRequest("vertexai", "https://x.example", {}, b"{}")
    role = RoleCredentials(ROLE if environ is None else environ)
    authorization = Authorization("google", secret, parameters or {})
    grant = await GoogleScheme(world, world.clock, role).grant(request, authorization)
    return grant.headers["authorization"]


async def test_a_role_proves_itself_by_a_request_that_only_google_sends() -> None:
    world = TokenWorld()
    assert await granted(world, federation_file()) == "Bearer token-1"
    [asked] = world.exchanges
    assert asked.url == "https://sts.googleapis.com/v1/token"  # and not the file's
    [form] = world.forms
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange"
    assert form["audience"] == AUDIENCE
    proof = json.loads(unquote(form["subject_token"]))
    assert (proof["url"], proof["method"]) == (STS, "POST")
    headers = {pair["key"]: pair["value"] for pair in proof["headers"]}
    assert headers["host"] == "sts.eu-west-1.amazonaws.com"
    assert headers["x-goog-cloud-target-resource"] == AUDIENCE
    assert headers["x-amz-security-token"] == "session/token"
    expected = AWSRequest("POST", STS)
    keys = Credentials("AKIDROLE", "canary-secret", "session/token")
    with time_machine.travel(world.now_s, tick=False):
        SigV4Auth(keys, "sts", "eu-west-1").add_auth(expected)
    assert headers["Authorization"] == expected.headers["Authorization"]
    assert "canary-secret" not in str(proof)


async def test_a_role_may_act_as_a_service_account() -> None:
    world = TokenWorld()
    assert await granted(world, federation_file(**IMPERSONATION)) == "Bearer token-2"
    _, asked = world.exchanges
    assert asked.url == f"{ACCOUNTS}/{EMAIL}:generateAccessToken"
    assert asked.headers["authorization"] == "Bearer token-1"
    assert json.loads(asked.body) == {
        "scope": ["https://www.googleapis.com/auth/cloud-platform"],
        "lifetime": "3600s",
    }


async def test_the_host_that_a_file_names_for_a_service_account_is_not_called() -> None:
    world = TokenWorld()
    url = f"https://attacker.example/v1/projects/-/serviceAccounts/{EMAIL}:generateAccessToken"
    await granted(world, federation_file(service_account_impersonation_url=url))
    assert world.exchanges[-1].url.startswith(ACCOUNTS)


async def test_the_file_may_stand_where_a_key_file_would(tmp_path: Path) -> None:
    path = tmp_path / "federation.json"
    path.write_text(federation_file())
    found = await granted(TokenWorld(), None, parameters={"credentials_file": str(path)})
    assert found == "Bearer token-1"


async def test_a_process_without_a_role_is_nobody_to_google() -> None:
    world = TokenWorld()
    with pytest.raises(UpstreamUnreachable, match="no AWS role or credentials"):
        await granted(world, federation_file(), environ={})
    assert world.exchanges == []


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "else than an AWS role"),
        ({"audience": None}, "else than an AWS role"),
        ({"service_account_impersonation_url": "https://x.example"}, "names no service account"),
    ],
)
async def test_a_trust_that_is_none_in_aws_is_refused(
    others: dict[str, object], reason: str
) -> None:
    with pytest.raises(UpstreamUnreachable, match=reason):
        await granted(TokenWorld(), federation_file(**others))


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"accessToken": "t", "expireTime": "soon"}',
        b'{"accessToken": "t", "expireTime": "2001-01-01T00:00:00Z"}',
    ],
)
async def test_a_service_account_that_gives_no_token_spends_nothing(body: bytes) -> None:
    world = TokenWorld()
    world.impersonation = body
    with pytest.raises(UpstreamUnreachable, match="holds no token"):
        await granted(world, federation_file(**IMPERSONATION))
