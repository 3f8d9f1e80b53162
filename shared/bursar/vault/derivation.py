"""HKDF-SHA256 (RFC 5869), the vault's only way from one secret to another.

Safe as long as HMAC-SHA256 behaves like a random function: outputs with different `info` say
nothing about each other or about the secret. It adds no entropy: a guessable secret needs
`passwords` first.
"""

from __future__ import annotations

import hmac

_HASH = "sha256"
_HASH_BYTES = 32


def hkdf(secret: bytes, info: bytes, length: int) -> bytes:
    """Derive `length` bytes (at most 8,160) from a secret, for the use that `info` names.

    The salt is empty, which RFC 5869 allows: it would strengthen secrets that are not uniform, and
    X25519's outputs and the vault's random keys are good enough without.
    """
    pseudorandom_key = hmac.digest(b"", secret, _HASH)
    return _expand(pseudorandom_key, info, length)


def _expand(pseudorandom_key: bytes, info: bytes, length: int) -> bytes:
    block, output = b"", b""
    for counter in range(1, -(-length // _HASH_BYTES) + 1):
        block = hmac.digest(pseudorandom_key, block + info + bytes([counter]), _HASH)
        output += block
    return output[:length]
