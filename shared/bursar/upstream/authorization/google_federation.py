"""Google Cloud without a key: an AWS role is exchanged for a token.

Workload identity federation, as Google's "Configure Workload Identity Federation with AWS" and RFC
8693 describe it: a request of GetCallerIdentity that the role has signed, and that only Google
sends, proves the role. Google's token then acts for itself, or as a service account.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 (msgspec reads it at run time)
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from bursar.aws.sigv4 import SigningKey, post_headers
from bursar.domain.upstream import UpstreamRequest
from bursar.upstream.authorization.exchange import (
    TIMEOUT_S,
    UNGRANTED,
    answer_of,
    checked,
    form_to,
    token_from,
)
from bursar.upstream.authorization.scheme import bearer, not_authorized
from bursar.upstream.authorization.tokens import Token

if TYPE_CHECKING:
    from bursar.aws.credentials import Credentials
    from bursar.domain.service_accounts import FederatedAccount
    from bursar.ports import Upstream
    from bursar.upstream.authorization.aws import RoleCredentials

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_TOKENS: Final = "https://sts.googleapis.com/v1/token"
_ACCOUNTS: Final = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"
_HELD_S: Final = 3600


class _Impersonation(msgspec.Struct, rename="camel"):
    """The answer of generateAccessToken."""

    access_token: str
    expire_time: datetime

    def __repr__(self) -> str:
        return "_Impersonation()"


async def federated_token(
    account: FederatedAccount,
    request: UpstreamRequest,
    *,
    upstream: Upstream,
    role: RoleCredentials,
    now_s: float,
) -> Token:
    """A token for what the account may do.

    Raises:
        UpstreamUnreachable: there is no role, or Google gives it none.
    """
    credentials = await role.current(request.provider)
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
        "audience": account.audience,
        "scope": SCOPE,
        "subject_token": subject_token(credentials, role.region, account.audience, now_s),
    }
    own = await token_from(upstream, form_to(_TOKENS, form, request, is_own=False))
    if account.impersonated is None:
        return own
    return await _impersonated(account.impersonated, own, request, upstream, now_s)


def subject_token(credentials: Credentials, region: str, audience: str, now_s: float) -> str:
    """The signed request, in the form that Google wants it: JSON, percent-encoded."""
    host = f"sts.{region}.amazonaws.com"
    url = f"https://{host}?Action=GetCallerIdentity&Version=2011-06-15"
    key = SigningKey(region=region, service="sts")
    signed = post_headers(key, credentials, url, content_type=None, body=b"", now_s=now_s)
    headers = {
        "Authorization": signed.pop("authorization"),
        "host": host,
        **signed,
        "x-goog-cloud-target-resource": audience,
    }
    pairs = [{"key": name, "value": value} for name, value in headers.items()]
    return quote(msgspec.json.encode({"url": url, "method": "POST", "headers": pairs}), safe="")


async def _impersonated(
    email: str, own: Token, request: UpstreamRequest, upstream: Upstream, now_s: float
) -> Token:
    asked = UpstreamRequest(
        f"{request.provider}'s token endpoint",
        f"{_ACCOUNTS}/{quote(email, safe='@')}:generateAccessToken",
        {"content-type": "application/json", "user-agent": "bursar", **bearer(own.text)},
        msgspec.json.encode({"scope": [SCOPE], "lifetime": f"{_HELD_S}s"}),
        TIMEOUT_S,
        allows_private=True,
    )
    body = await answer_of(upstream, asked)
    try:
        found = msgspec.json.decode(body, type=_Impersonation)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise not_authorized(asked.provider, UNGRANTED) from None
    lifetime_s = found.expire_time.timestamp() - now_s
    return checked(asked.provider, Token(found.access_token, lifetime_s))
