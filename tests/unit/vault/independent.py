"""The vault's formats computed a second time, from FORMAT.md and with another library.

Nothing of `bursar.vault` is used here. The primitives are OpenSSL's, by way of pyca/cryptography;
it has no XChaCha20, so HChaCha20 is written out after the draft.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_QUARTERS = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)


def public_of(private: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def agreed(private: bytes, public: bytes) -> bytes:
    other = X25519PublicKey.from_public_bytes(public)
    return X25519PrivateKey.from_private_bytes(private).exchange(other)


def hkdf(secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=info).derive(secret)


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    for _ in range(10):
        for quarter in _QUARTERS:
            _quarter_round(state, *quarter)
    return struct.pack("<8I", *state[:4], *state[12:])


def _quarter_round(state: list[int], a: int, b: int, c: int, d: int) -> None:
    for add, mix, bits in ((b, d, 16), (d, b, 12), (b, d, 8), (d, b, 7)):
        target = a if mix == d else c
        state[target] = (state[target] + state[add]) & 0xFFFFFFFF
        mixed = state[mix] ^ state[target]
        state[mix] = ((mixed << bits) | (mixed >> (32 - bits))) & 0xFFFFFFFF


def xchacha(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
    cipher = ChaCha20Poly1305(hchacha20(key, nonce[:16]))
    return cipher.encrypt(bytes(4) + nonce[16:], plaintext, aad)


def framed(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def text(raw: bytes) -> str:
    return base64.standard_b64encode(raw).decode("ascii")


def seal_v1(ephemeral: bytes, recipient: bytes, plaintext: bytes) -> str:
    sender = public_of(ephemeral)
    nonce = hashlib.sha512(sender + recipient).digest()[:24]
    return text(sender + xchacha(agreed(ephemeral, recipient), nonce, plaintext, b""))


def bound_box(ephemeral: bytes, recipient: bytes, plaintext: bytes, *place: bytes) -> bytes:
    sender = public_of(ephemeral)
    derived = hkdf(agreed(ephemeral, recipient), place[0] + sender + recipient, 56)
    return sender + xchacha(derived[:32], derived[32:], plaintext, framed(*place))


@dataclass(frozen=True)
class Place:
    vault_id: str
    provider: str
    key_name: str
    version: int


def seal_v2(ephemeral: bytes, recipient: bytes, plaintext: bytes, place: Place) -> str:
    names = [name.encode() for name in (place.vault_id, place.provider, place.key_name)]
    version = struct.pack(">Q", place.version)
    label = b"bursar vault v2 provider key"
    return "bursar.v2." + text(bound_box(ephemeral, recipient, plaintext, label, *names, version))


def share(ephemeral: bytes, holder: bytes, content: bytes, vault_id: str, holder_id: str) -> str:
    place = (b"bursar vault share v1", vault_id.encode(), holder_id.encode())
    return "bursar.share.v1." + text(bound_box(ephemeral, holder, content, *place))


def voucher(vault_key: bytes, vault_id: str, holder_id: str, holder: bytes) -> str:
    label = b"bursar vault voucher v1"
    key = hkdf(vault_key, label, 32)
    message = framed(label, vault_id.encode(), holder_id.encode(), holder)
    return "bursar.voucher.v1." + text(hmac_sha256(key, message))


def virtual_key_wrapping(virtual_key: str) -> bytes:
    return hkdf(virtual_key.encode(), b"bursar vault virtual key v1", 32)


def password_master(password_nfc: str, salt: bytes, memory_kib: int, passes: int) -> bytes:
    stretched = Argon2id(salt=salt, length=32, iterations=passes, lanes=1, memory_cost=memory_kib)
    return stretched.derive(password_nfc.encode())


def login_and_wrapping(secret: bytes, purpose: str) -> tuple[str, bytes]:
    label = f"bursar vault {purpose}".encode()
    return text(hkdf(secret, label + b" login v1", 32)), hkdf(secret, label + b" wrapping v1", 32)


def wrapped_account_key(nonce: bytes, wrapping: bytes, account_key: bytes, account_id: str) -> str:
    aad = framed(b"bursar vault account key v1", account_id.encode())
    return "bursar.account.v1." + text(nonce + xchacha(wrapping, nonce, account_key, aad))


def recovery_key(secret: bytes) -> str:
    digest = hashlib.sha256(b"bursar vault recovery checksum v1" + secret).digest()
    bits = "".join(f"{byte:08b}" for byte in secret + digest)[: 160 + 20]
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    characters = [alphabet[int(bits[at : at + 5], 2)] for at in range(0, len(bits), 5)]
    groups = ["".join(characters[at : at + 4]) for at in range(0, len(characters), 4)]
    return "bursar-recovery-" + "-".join(groups)


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
