"""Signs what a lease says, so that others can check it without asking the gateway.

A statement is a JSON Web Token (RFC 7519) with an Ed25519 signature (RFC 8037). It is evidence, not
money: what a lease is worth is in the ledger, whoever presents which statement.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bursar.ports import Platform

if TYPE_CHECKING:
    from nacl.signing import SigningKey

    from bursar.domain.leases import Lease

ISSUER = "bursar"
_SECRET = "lease-signing"  # noqa: S105 (a secret's name)
_KEY_ID_CHARS = 16


@dataclass(frozen=True, slots=True)
class LeaseSigning:
    """The deployment's signing key, made when it is first needed."""

    platform: Platform

    async def statement(self, lease: Lease) -> str:
        """What a lease says, signed: in compact form, `header.claims.signature`."""
        key = await self._key()
        header = {"alg": "EdDSA", "typ": "JWT", "kid": _key_id(key)}
        signed = f"{_part(header)}.{_part(_claims(lease))}"
        return f"{signed}.{_text(key.sign(signed.encode()).signature)}"

    async def public_keys(self) -> dict[str, Any]:
        """What statements are checked with: a JSON Web Key Set (RFC 7517)."""
        key = await self._key()
        public = {
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": _key_id(key),
            "x": _text(bytes(key.verify_key)),
        }
        return {"keys": [public]}

    async def _key(self) -> SigningKey:
        from nacl.signing import SigningKey  # noqa: PLC0415 (only leases need it)

        return SigningKey(await self.platform.secret(_SECRET))


def _claims(lease: Lease) -> dict[str, Any]:
    claims = {
        "iss": ISSUER,
        "sub": lease.project_id,
        "jti": lease.lease_id,
        "client": lease.client_id,
        "amount_usd": f"{lease.amount_usd:f}",
        "iat": int(lease.created_at.timestamp()),
        "exp": int(lease.ends_at.timestamp()),
    }
    return {name: value for name, value in claims.items() if value is not None}


def _key_id(key: SigningKey) -> str:
    return hashlib.sha256(bytes(key.verify_key)).hexdigest()[:_KEY_ID_CHARS]


def _part(content: dict[str, Any]) -> str:
    return _text(json.dumps(content, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
