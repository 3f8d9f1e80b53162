"""Signature Version 4 of AWS: of its JSON protocols' requests, of any POST, and in a URL.

The steps and names are those of "Signing AWS API requests" in AWS's IAM guide: a canonical
request, its hash in a string to sign, and a key derived from the secret, day, region and service.
"""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bursar.aws.credentials import Credentials

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_SHA256: Final = "sha256"
_PRESIGNED_HEADERS: Final = "host"


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


class SigningKey:
    """What signs for one region and service. The derived key is kept for its day."""

    def __init__(self, *, region: str, service: str) -> None:
        self._region = region
        self._service = service
        self._key_for: tuple[str, str] = ("", "")
        self._key = b""

    def scope(self, timestamp: str) -> str:
        """Where and when a signature holds, as its `Credential` names it."""
        return f"{timestamp[:8]}/{self._region}/{self._service}/aws4_request"

    def signature(self, credentials: Credentials, timestamp: str, canonical: str) -> str:
        """The signature of a canonical request, in hex."""
        digest = sha256(canonical.encode()).hexdigest()
        to_sign = f"{_ALGORITHM}\n{timestamp}\n{self.scope(timestamp)}\n{digest}"
        key = self._derived_key(credentials.secret_access_key, timestamp[:8])
        return hmac.digest(key, to_sign.encode(), _SHA256).hex()

    def authorization(
        self, credentials: Credentials, timestamp: str, canonical: str, names: str
    ) -> str:
        """The Authorization header's value."""
        return (
            f"{_ALGORITHM} Credential={credentials.access_key_id}/{self.scope(timestamp)}, "
            f"SignedHeaders={names}, "
            f"Signature={self.signature(credentials, timestamp, canonical)}"
        )

    def _derived_key(self, secret_access_key: str, day: str) -> bytes:
        if self._key_for != (secret_access_key, day):
            key = f"AWS4{secret_access_key}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), _SHA256)
            self._key, self._key_for = key, (secret_access_key, day)
        return self._key


class Signer:
    """Signs POSTs of `/` to one host, which is all that a JSON protocol needs."""

    def __init__(self, *, host: str, region: str, service: Service = DYNAMODB) -> None:
        self._host = host
        self._service = service
        self._key = SigningKey(region=region, service=service.name)

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
        timestamp = timestamp_of(now_s)
        headers = {
            "content-type": self._service.content_type,
            "host": self._host,
            "x-amz-date": timestamp,
        }
        if credentials.session_token is not None:
            headers["x-amz-security-token"] = credentials.session_token
        headers["x-amz-target"] = f"{self._service.target_prefix}.{operation}"
        canonical, names = _canonical("POST", "/", "", headers, sha256(body).hexdigest())
        headers["authorization"] = self._key.authorization(credentials, timestamp, canonical, names)
        return headers


def post_headers(
    key: SigningKey,
    credentials: Credentials,
    url: str,
    *,
    content_type: str | None,
    body: bytes,
    now_s: float,
) -> dict[str, str]:
    """The headers that sign a POST of any URL; its content type must travel as given.

    What is not signed may be changed on the way: names of clients, tracing headers and the like.

    Args:
        url: absolute, its path percent-encoded and without segments of dots.
        content_type: what the request says of its body; None leaves it unsigned.
        body: what is sent.
        now_s: the Unix time.
    """
    parts = urlsplit(url)
    timestamp = timestamp_of(now_s)
    headers = {"x-amz-date": timestamp}
    if credentials.session_token is not None:
        headers["x-amz-security-token"] = credentials.session_token
    named = {} if content_type is None else {"content-type": content_type}
    signed = {**named, "host": parts.netloc, **headers}
    # A path is encoded once more than it travels, by every service but S3.
    path = quote(parts.path or "/", safe="/~")
    query = _query(parse_qsl(parts.query, keep_blank_values=True))
    canonical, names = _canonical("POST", path, query, signed, sha256(body).hexdigest())
    return {**headers, "authorization": key.authorization(credentials, timestamp, canonical, names)}


def presigned_query(
    key: SigningKey,
    credentials: Credentials,
    url: str,
    *,
    expires_s: int,
    now_s: float,
) -> str:
    """The query of a URL that carries its own signature, for a POST without a body.

    Args:
        url: absolute, with the query that is to be signed along.
        expires_s: how long it holds.
        now_s: the Unix time.
    """
    parts = urlsplit(url)
    timestamp = timestamp_of(now_s)
    fields = {
        **dict(parse_qsl(parts.query, keep_blank_values=True)),
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key_id}/{key.scope(timestamp)}",
        "X-Amz-Date": timestamp,
        "X-Amz-Expires": str(expires_s),
        "X-Amz-SignedHeaders": _PRESIGNED_HEADERS,
    }
    if credentials.session_token is not None:
        fields["X-Amz-Security-Token"] = credentials.session_token
    query = _query(fields.items())
    path = quote(parts.path or "/", safe="/~")
    canonical, _ = _canonical("POST", path, query, {"host": parts.netloc}, sha256(b"").hexdigest())
    return f"{query}&X-Amz-Signature={key.signature(credentials, timestamp, canonical)}"


def timestamp_of(now_s: float) -> str:
    """A Unix time in the form that signatures use."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_s))


def _canonical(
    method: str, path: str, query: str, headers: Mapping[str, str], body_digest: str
) -> tuple[str, str]:
    """The canonical request and the names of its headers, which come in the order of names."""
    names = ";".join(headers)
    lines = "".join([f"{name}:{value}\n" for name, value in headers.items()])
    return f"{method}\n{path}\n{query}\n{lines}\n{names}\n{body_digest}", names


def _query(fields: Iterable[tuple[str, str]]) -> str:
    encoded = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in fields)
    return "&".join([f"{name}={value}" for name, value in encoded])
