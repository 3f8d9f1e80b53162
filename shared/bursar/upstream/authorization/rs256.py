"""RSA signatures as JSON Web Tokens want them: RSASSA-PKCS1-v1_5 with SHA-256.

Signing is one modular exponentiation, which Python has. The one library at hand that signs with
RSA is 12 MB in every function's package and costs 0.1 s of CPU to import, for one signature an
hour and only where Vertex AI is used; this costs 15 ms. What usually goes wrong with RSA of one's
own does not arise here: nothing is decrypted, the padding is fixed and holds no random number, what
is signed comes from no caller, and the key is blinded and the result verified, so that neither its
timing nor a fault in it tells anything. Tests compare it with that library.
"""

from __future__ import annotations

import binascii
import secrets
from base64 import b64decode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

_BEGIN: Final = "-----BEGIN PRIVATE KEY-----"
_END: Final = "-----END PRIVATE KEY-----"
_INTEGER: Final = 0x02
_OCTETS: Final = 0x04
_SEQUENCE: Final = 0x30
# The object identifier of RSA keys, 1.2.840.113549.1.1.1, as DER.
_RSA: Final = bytes.fromhex("2a864886f70d010101")
# What stands before a SHA-256 digest in a DigestInfo, RFC 8017, section 9.2, note 1.
_DIGEST_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")
_BITS_MIN: Final = 2048
_FAULT: Final = "holds no RSA key of at least 2048 bits in PKCS #8"


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """The numbers of a key, with RFC 8017's names: n, e, p, q, dP, dQ, qInv."""

    modulus: int
    public_exponent: int
    prime1: int = field(repr=False)
    prime2: int = field(repr=False)
    exponent1: int = field(repr=False)
    exponent2: int = field(repr=False)
    coefficient: int = field(repr=False)

    @classmethod
    def of_pem(cls, pem: str) -> PrivateKey:
        """Read an unencrypted PKCS #8 key.

        Raises:
            ValueError: it is none; the message holds nothing of it.
        """
        encoded = pem.strip().removeprefix(_BEGIN).removesuffix(_END)
        try:
            key = cls(*_numbers(b64decode("".join(encoded.split()), validate=True)))
        except (binascii.Error, IndexError, TypeError, ValueError):
            raise ValueError(_FAULT) from None
        if key.modulus.bit_length() < _BITS_MIN or key.prime1 * key.prime2 != key.modulus:
            raise ValueError(_FAULT)
        return key

    def sign(self, message: bytes) -> bytes:
        """The signature, as long as the modulus.

        Raises:
            ValueError: the key's numbers do not belong together.
        """
        size = (self.modulus.bit_length() + 7) // 8
        padded = int.from_bytes(_padded(message, size))
        factor = secrets.randbelow(self.modulus - 2) + 2
        blinded = padded * pow(factor, self.public_exponent, self.modulus) % self.modulus
        signature = self._power(blinded) * pow(factor, -1, self.modulus) % self.modulus
        if pow(signature, self.public_exponent, self.modulus) != padded:
            raise ValueError(_FAULT)
        return signature.to_bytes(size)

    def _power(self, base: int) -> int:
        """The private exponentiation by way of the primes, which is four times as fast."""
        one = pow(base, self.exponent1, self.prime1)
        two = pow(base, self.exponent2, self.prime2)
        return two + (one - two) * self.coefficient % self.prime1 * self.prime2


def _padded(message: bytes, size: int) -> bytes:
    """EMSA-PKCS1-v1_5, RFC 8017, section 9.2."""
    info = _DIGEST_INFO + sha256(message).digest()
    return b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info


def _numbers(der: bytes) -> list[int]:
    """The numbers of a PrivateKeyInfo (RFC 5208) around an RSAPrivateKey (RFC 8017, A.1.2)."""
    info = _Der(_Der(der).take(_SEQUENCE))
    info.take(_INTEGER)
    if _RSA not in info.take(_SEQUENCE):
        raise ValueError(_FAULT)
    key = _Der(_Der(info.take(_OCTETS)).take(_SEQUENCE))
    version, modulus, public, _private, *others = (
        int.from_bytes(key.take(_INTEGER), signed=True) for _ in range(9)
    )
    if version != 0 or min(modulus, public, *others) <= 0:
        raise ValueError(_FAULT)
    return [modulus, public, *others]


class _Der:
    """Reads the elements of a DER encoding one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, tag: int) -> bytes:
        """The content of the next element, which must be of this kind."""
        if self._data[self._at] != tag:
            raise ValueError(_FAULT)
        length = self._data[self._at + 1]
        start = self._at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(self._data[self._at + 2 : start])
        self._at = start + length
        if self._at > len(self._data):
            raise ValueError(_FAULT)
        return self._data[start : self._at]
