from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.store.credentials import Credentials
from bursar.store.sigv4 import Signer

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
