"""Signature Version 4 of AWS, for the one shape of request that its JSON protocols have.

The steps and names are those of "Signing AWS API requests" in AWS's IAM guide: a canonical
request, its hash in a string to sign, and a key derived from the secret, day, region and service.
"""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bursar.store.credentials import Credentials

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_SHA256: Final = "sha256"


@dataclass(frozen=True, slots=True)
class Service:
    """A service of AWS that speaks one of the JSON protocols.

    Attributes:
        name: what signatures and host names call it.
        target_prefix: what stands before an operation's name in `x-amz-target`.
        content_type: of requests; it says which protocol.
    """

    name: str
    target_prefix: str
    content_type: str


DYNAMODB: Final = Service("dynamodb", "DynamoDB_20120810", "application/x-amz-json-1.0")


class Signer:
    """Signs POSTs of `/` to one host. The derived key is kept for its day."""

    def __init__(self, *, host: str, region: str, service: Service = DYNAMODB) -> None:
        self._host = host
        self._region = region
        self._service = service
        self._key_for: tuple[str, str] = ("", "")
        self._key = b""

    def headers(
        self, credentials: Credentials, operation: str, body: bytes, now_s: float
    ) -> dict[str, str]:
        """All headers of a request but its length.

        Args:
            credentials: who signs.
            operation: its name, as in `GetItem`.
            body: what is sent.
            now_s: the Unix time.
        """
        timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_s))
        headers = {
            "content-type": self._service.content_type,
            "host": self._host,
            "x-amz-date": timestamp,
        }
        if credentials.session_token is not None:
            headers["x-amz-security-token"] = credentials.session_token
        headers["x-amz-target"] = f"{self._service.target_prefix}.{operation}"
        headers["authorization"] = self._authorization(credentials, headers, timestamp, body)
        return headers

    def _authorization(
        self, credentials: Credentials, headers: dict[str, str], timestamp: str, body: bytes
    ) -> str:
        """`headers` come in the order of their names, as the canonical request needs them."""
        names = ";".join(headers)
        lines = "".join([f"{name}:{value}\n" for name, value in headers.items()])
        canonical = f"POST\n/\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
        day = timestamp[:8]
        scope = f"{day}/{self._region}/{self._service.name}/aws4_request"
        to_sign = f"{_ALGORITHM}\n{timestamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        key = self._derived_key(credentials.secret_access_key, day)
        signature = hmac.digest(key, to_sign.encode(), _SHA256).hex()
        return (
            f"{_ALGORITHM} Credential={credentials.access_key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )

    def _derived_key(self, secret_access_key: str, day: str) -> bytes:
        if self._key_for != (secret_access_key, day):
            key = f"AWS4{secret_access_key}".encode()
            for part in (day, self._region, self._service.name, "aws4_request"):
                key = hmac.digest(key, part.encode(), _SHA256)
            self._key, self._key_for = key, (secret_access_key, day)
        return self._key
