"""Google Cloud: a service account signs an assertion and exchanges it for a token.

The flow is that of "Using OAuth 2.0 for Server to Server Applications" in Google's identity
documentation, which is RFC 7523's.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.domain.service_accounts import ServiceAccount, parse_service_account
from bursar.upstream.authorization.exchange import ExchangeScheme
from bursar.upstream.authorization.rs256 import PrivateKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.upstream import Authorization

_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_HELD_S: Final = 3600


class GoogleScheme(ExchangeScheme):
    """The token endpoint that a key file names is not used: see `ServiceAccount`."""

    def url(self, authorization: Authorization) -> str:
        return "https://oauth2.googleapis.com/token"

    def fields(self, authorization: Authorization, url: str) -> Mapping[str, str]:
        account = _account(authorization)
        issued_s = int(self._now_s())
        claims = {
            "iss": account.email,
            "scope": _SCOPE,
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


def _account(authorization: Authorization) -> ServiceAccount:
    """The service account of the key, or else of the file; read anew, as it may be replaced."""
    if authorization.secret is not None:
        return parse_service_account(authorization.secret)
    path = authorization.parameters.get("credentials_file", "")
    try:
        return parse_service_account(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ValueError("file cannot be read") from None


def _part(value: Mapping[str, Any]) -> str:
    return _base64url(msgspec.json.encode(value))


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
