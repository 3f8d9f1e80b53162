"""Google Cloud: a service account signs an assertion and exchanges it for a token.

The flow is that of "Using OAuth 2.0 for Server to Server Applications" in Google's identity
documentation, which is RFC 7523's. Where the credentials are a trust in an AWS role, see
`google_federation`.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.domain.service_accounts import (
    FederatedAccount,
    ServiceAccount,
    parse_credentials,
)
from bursar.upstream.authorization.exchange import ExchangeScheme
from bursar.upstream.authorization.google_federation import SCOPE, federated_token
from bursar.upstream.authorization.rs256 import PrivateKey
from bursar.upstream.authorization.scheme import not_authorized

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bursar.domain.upstream import Authorization, UpstreamRequest
    from bursar.ports import Upstream
    from bursar.upstream.authorization.aws import RoleCredentials
    from bursar.upstream.authorization.tokens import Token

_HELD_S: Final = 3600


class GoogleScheme(ExchangeScheme):
    """The token endpoint that a key file names is not used: see `ServiceAccount`.

    Args:
        role: the process's AWS role, for credentials that trust it.
    """

    def __init__(
        self, upstream: Upstream, now_s: Callable[[], float], role: RoleCredentials
    ) -> None:
        super().__init__(upstream, now_s)
        self._role = role

    async def _exchange(self, request: UpstreamRequest, authorization: Authorization) -> Token:
        try:
            account = _account(authorization)
        except ValueError as fault:
            raise not_authorized(request.provider, f"its key {fault}") from None
        if isinstance(account, FederatedAccount):
            return await federated_token(
                account, request, upstream=self._upstream, role=self._role, now_s=self._now_s()
            )
        return await super()._exchange(request, authorization)

    def url(self, authorization: Authorization) -> str:
        return "https://oauth2.googleapis.com/token"

    def fields(self, authorization: Authorization, url: str) -> Mapping[str, str]:
        account = _account(authorization)
        if not isinstance(account, ServiceAccount):
            raise ValueError("is not the JSON key file of a service account")  # noqa: TRY004 (as its parser)
        issued_s = int(self._now_s())
        claims = {
            "iss": account.email,
            "scope": SCOPE,
            "aud": url,
            "iat": issued_s,
            "exp": issued_s + _HELD_S,
        }
        signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
        signature = PrivateKey.of_pem(account.private_key).sign(signed.encode())
        return {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": f"{signed}.{_base64url(signature)}",
        }


def _account(authorization: Authorization) -> ServiceAccount | FederatedAccount:
    """The account of the key, or else of the file; read anew, as it may be replaced."""
    if authorization.secret is not None:
        return parse_credentials(authorization.secret)
    path = authorization.parameters.get("credentials_file", "")
    try:
        return parse_credentials(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ValueError("file cannot be read") from None


def _part(value: Mapping[str, Any]) -> str:
    return _base64url(msgspec.json.encode(value))


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
