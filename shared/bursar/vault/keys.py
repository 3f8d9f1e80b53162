"""X25519 keys (RFC 7748): whom something is sealed for, and who opens it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

import nacl.bindings

from bursar.vault.encoding import from_base64, to_base64
from bursar.vault.errors import InvalidKey

KEY_BYTES = 32
_FIELD_PRIME = 2**255 - 19
_FINGERPRINT_BYTES = 4
# Every canonical u-coordinate of a point of small order. An agreement with one of them is zero,
# whatever the private key, so that everybody could open what is sealed for it.
_SMALL_ORDER_POINTS = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The half that others may know: what they seal can be opened with the other half only.

    Of the two or four notations that X25519 knows for one point, only the canonical is accepted,
    so equal bytes are equal keys. Key generation makes no other.

    Attributes:
        raw: 32 bytes, the u-coordinate, least significant byte first.

    Raises:
        InvalidKey: not 32 bytes, not canonical, or a point of small order.
    """

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != KEY_BYTES:
            raise InvalidKey("a public key has 32 bytes")
        u = int.from_bytes(self.raw, "little")
        if u >= _FIELD_PRIME or u in _SMALL_ORDER_POINTS:
            raise InvalidKey("this public key protects nothing")

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read a public key from canonical standard base64.

        Raises:
            InvalidKey: anything else, and keys that the class refuses.
        """
        raw = from_base64(text)
        if raw is None:
            raise InvalidKey("a public key is standard base64 of 32 bytes")
        return cls(raw)

    def __str__(self) -> str:
        return to_base64(self.raw)

    @property
    def fingerprint(self) -> str:
        """The first 4 bytes of SHA-256, in hex: a name for the key.

        No proof of it: another key with the same 32 bits is found in days.
        """
        return hashlib.sha256(self.raw).digest()[:_FINGERPRINT_BYTES].hex()


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """The half that opens. Neither its repr nor its str shows any of it.

    Attributes:
        raw: 32 random bytes; X25519 sets the bits that it needs when it uses them.

    Raises:
        InvalidKey: not 32 bytes.
    """

    raw: bytes = field(repr=False)

    def __post_init__(self) -> None:
        # libsodium reads 32 bytes, whether they are there or not.
        if len(self.raw) != KEY_BYTES:
            raise InvalidKey("a private key has 32 bytes")

    @classmethod
    def generate(cls) -> PrivateKey:
        return cls(secrets.token_bytes(KEY_BYTES))

    @property
    def public(self) -> PublicKey:
        return PublicKey(nacl.bindings.crypto_scalarmult_base(self.raw))


def agree(own: PrivateKey, other: PublicKey) -> bytes:
    """Compute the 32 bytes that both sides of a key agreement arrive at."""
    return nacl.bindings.crypto_scalarmult(own.raw, other.raw)
