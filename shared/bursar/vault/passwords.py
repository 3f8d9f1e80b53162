"""From a password to two independent secrets: one to log in with, one to wrap keys with.

    password ──Argon2id──► master ──HKDF──► login value    sent to the server, which stores a hash
                                  └─HKDF──► wrapping key   never leaves the client

Nobody learns one from the other, so a server that is logged in to cannot unwrap. It can try
passwords, at the price of one Argon2id each, which is what the parameters' minimum is for.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass, field

import nacl.bindings

from bursar.vault.derivation import hkdf
from bursar.vault.encoding import from_base64, to_base64, to_utf8
from bursar.vault.errors import WeakParameters

SALT_BYTES = 16
MEMORY_KIB_MIN = 65_536
MEMORY_KIB_MAX = 262_144
PASSES_MIN = 3
PASSES_MAX = 16
_SECRET_BYTES = 32
_LOGIN_LABEL = b"bursar vault password login v1"
_WRAPPING_LABEL = b"bursar vault password wrapping v1"
_TEXT = re.compile(r"argon2id\$m=([1-9][0-9]{0,6}),t=([1-9][0-9]{0,2}),p=1\$([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class KdfParameters:
    """What a password is stretched with: Argon2id (RFC 9106), version 1.3, one lane.

    A server stores them and hands them out before anybody has logged in, so they are not to be
    trusted: fewer than the minimum would make passwords cheap to guess, more than the maximum
    would occupy the client.

    Attributes:
        salt: 16 random bytes of the account's own.

    Raises:
        WeakParameters: memory, passes or salt out of bounds.
    """

    memory_kib: int = MEMORY_KIB_MIN
    passes: int = PASSES_MIN
    salt: bytes

    def __post_init__(self) -> None:
        if not MEMORY_KIB_MIN <= self.memory_kib <= MEMORY_KIB_MAX:
            raise WeakParameters("the memory for a password is not in 64 to 256 MiB")
        if not PASSES_MIN <= self.passes <= PASSES_MAX:
            raise WeakParameters("the passes over a password are not 3 to 16")
        if len(self.salt) != SALT_BYTES:
            raise WeakParameters("a password's salt has 16 bytes")

    @classmethod
    def fresh(cls) -> KdfParameters:
        """Take the defaults and a new random salt."""
        return cls(salt=secrets.token_bytes(SALT_BYTES))

    @classmethod
    def parse(cls, text: str) -> KdfParameters:
        """Read `argon2id$m=<KiB>,t=<passes>,p=1$<salt in base64>`.

        Raises:
            WeakParameters: anything else, and parameters out of bounds.
        """
        match = _TEXT.fullmatch(text)
        salt = from_base64(match[3]) if match else None
        if match is None or salt is None:
            raise WeakParameters("password parameters are argon2id$m=<KiB>,t=<passes>,p=1$<salt>")
        return cls(memory_kib=int(match[1]), passes=int(match[2]), salt=salt)

    def __str__(self) -> str:
        return f"argon2id$m={self.memory_kib},t={self.passes},p=1${to_base64(self.salt)}"


@dataclass(frozen=True, slots=True)
class PasswordKeys:
    """Two secrets from one, neither of which says anything about the other.

    Attributes:
        login_value: base64 of 32 bytes, what the server is shown instead of the password.
        wrapping_key: 32 bytes for `wrap_account_key`.
    """

    login_value: str = field(repr=False)
    wrapping_key: bytes = field(repr=False)


def derive(password: str, parameters: KdfParameters) -> PasswordKeys:
    """Derive a password's two secrets. At the least parameters: 64 MiB, 0.15 s of a processor.

    The password is brought to Unicode's NFC first, as RFC 8265 asks for: one system types é as one
    code point, another as two. Nothing else is changed, blanks and case included.

    Raises:
        InvalidInput: lone surrogates.
    """
    master = _argon2id(to_utf8(unicodedata.normalize("NFC", password)), parameters)
    return split_secret(master, _LOGIN_LABEL, _WRAPPING_LABEL)


def split_secret(secret: bytes, login_label: bytes, wrapping_label: bytes) -> PasswordKeys:
    """Derive both values from a secret that is not guessable, or too dear to guess."""
    login = hkdf(secret, login_label, _SECRET_BYTES)
    return PasswordKeys(to_base64(login), hkdf(secret, wrapping_label, _SECRET_BYTES))


def verifier_of(login_value: str) -> str:
    """Compute what a server stores of a login value: its SHA-256 in hex.

    One hash suffices: a thief of verifiers has to guess passwords through Argon2id anyway, and
    cannot log in with a verifier.
    """
    # What is presented may be any text; "surrogatepass" gives each its own bytes.
    return hashlib.sha256(login_value.encode(errors="surrogatepass")).hexdigest()


def verify(login_value: str, verifier: str) -> bool:
    """Compare a presented login value with the stored verifier, in constant time."""
    presented = verifier_of(login_value).encode()
    return hmac.compare_digest(presented, verifier.encode(errors="replace"))


def _argon2id(password: bytes, parameters: KdfParameters) -> bytes:
    return nacl.bindings.crypto_pwhash_alg(
        _SECRET_BYTES,
        password,
        parameters.salt,
        parameters.passes,
        parameters.memory_kib * 1024,
        nacl.bindings.crypto_pwhash_ALG_ARGON2ID13,
    )
