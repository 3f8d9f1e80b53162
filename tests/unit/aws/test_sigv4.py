from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import time_machine
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.aws.credentials import Credentials
from bursar.aws.sigv4 import Signer, SigningKey, post_headers, presigned_query

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "dynamodb.eu-central-1.amazonaws.com"
TARGET = "UpdateItem"
NOW = datetime(2026, 11, 22, 18, 30, 1, tzinfo=UTC)


def botocores_authorization(
    credentials: Credentials,
    headers: Mapping[str, str],
    body: bytes,
    service: str = "dynamodb",
) -> str:
    """What botocore signs the same request with, at the time in its headers."""
    moment = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    unsigned = {
        name: value
        for name, value in headers.items()
        if name not in {"authorization", "x-amz-date", "x-amz-security-token"}
    }
    request = AWSRequest("POST", f"https://{HOST}/", headers=unsigned, data=body)
    keys = BotocoreCredentials(
        credentials.access_key_id, credentials.secret_access_key, credentials.session_token
    )
    with time_machine.travel(moment, tick=False):
        SigV4Auth(keys, service, "eu-central-1").add_auth(request)
    authorization: str = request.headers["Authorization"]
    return authorization


@settings(deadline=None)
@given(
    body=st.binary(max_size=200),
    access_key_id=st.text("ABCDEFGH234567", min_size=16, max_size=20),
    secret=st.text("abcXYZ019+/=", min_size=1, max_size=40),
    token=st.none() | st.text("abcXYZ019+/=", min_size=1, max_size=200),
    now_s=st.integers(0, 4_000_000_000),
)
def test_every_signature_is_the_one_botocore_makes(
    body: bytes, access_key_id: str, secret: str, token: str | None, now_s: int
) -> None:
    credentials = Credentials(access_key_id, secret, token)

    headers = Signer(host=HOST, region="eu-central-1").headers(credentials, TARGET, body, now_s)

    assert headers["authorization"] == botocores_authorization(credentials, headers, body)


@pytest.mark.parametrize("later_s", [86_400, 0])
def test_one_signer_signs_for_another_day_and_other_credentials(later_s: int) -> None:
    signer = Signer(host=HOST, region="eu-central-1")
    now_s = NOW.timestamp()
    signer.headers(Credentials("A" * 16, "first"), TARGET, b"{}", now_s)
    second = Credentials("A" * 16, "second" if not later_s else "first", "token")

    headers = signer.headers(second, TARGET, b"{}", now_s + later_s)

    assert headers["authorization"] == botocores_authorization(second, headers, b"{}")


def test_a_signature_never_shows_the_secret() -> None:
    credentials = Credentials("AKIDEXAMPLE", "canary-secret", "canary-token")

    headers = Signer(host=HOST, region="eu-central-1").headers(
        credentials, TARGET, b"{}", time.time()
    )

    assert "canary-secret" not in str(headers)
    assert "canary" not in repr(credentials)


BOTOCORE = BotocoreCredentials("AKIDEXAMPLE", "secret", "token")
OWN = Credentials("AKIDEXAMPLE", "secret", "token")


@settings(deadline=None)
@given(
    body=st.binary(max_size=50),
    model=st.text("abz019.:-_/%~@ é", min_size=1, max_size=30).filter(lambda it: it.strip(".")),
    query=st.sampled_from(["", "?a=1&b=", "?z=%20x&a=~"]),
)
def test_a_post_of_any_path_is_signed_as_botocore_does(body: bytes, model: str, query: str) -> None:
    url = f"https://bedrock-runtime.eu-west-1.amazonaws.com/model/{quote(model, safe='')}/x{query}"
    key = SigningKey(region="eu-west-1", service="bedrock")

    headers = post_headers(
        key, OWN, url, content_type="application/json", body=body, now_s=NOW.timestamp()
    )

    request = AWSRequest("POST", url, headers={"content-type": "application/json"}, data=body)
    with time_machine.travel(NOW, tick=False):
        SigV4Auth(BOTOCORE, "bedrock", "eu-west-1").add_auth(request)
    assert headers["authorization"] == request.headers["Authorization"]
    assert headers["x-amz-security-token"] == "token"
    assert headers["x-amz-date"] == request.headers["X-Amz-Date"]


@pytest.mark.parametrize("token", ["to/ken+=", None])
def test_a_url_carries_the_signature_that_botocore_gives_it(token: str | None) -> None:
    url = "https://sagemaker.amazonaws.com/?Action=CallWithBearerToken"
    key = SigningKey(region="eu-west-1", service="sagemaker")
    own = Credentials("AKIDEXAMPLE", "secret", token)

    query = presigned_query(key, own, url, expires_s=43_200, now_s=NOW.timestamp())

    request = AWSRequest(
        "POST",
        "https://sagemaker.amazonaws.com/",
        headers={"host": "sagemaker.amazonaws.com"},
        params={"Action": "CallWithBearerToken"},
    )
    keys = BotocoreCredentials("AKIDEXAMPLE", "secret", token)
    with time_machine.travel(NOW, tick=False):
        SigV4QueryAuth(keys, "sagemaker", "eu-west-1", expires=43_200).add_auth(request)
    assert sorted(query.split("&")) == sorted(str(request.url).partition("?")[2].split("&"))
    assert "secret" not in query
