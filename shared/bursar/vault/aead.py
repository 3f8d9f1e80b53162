"""XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), the vault's only cipher.

Chosen because libsodium has it on every machine in constant time, and because its nonce of 24
bytes may be random. A nonce must not be used twice under one key. It does not commit to its key:
whoever knows two keys can make one ciphertext that opens under both, to different plaintexts.
No use of it here relies on the contrary.
"""

from __future__ import annotations

import nacl.bindings
import nacl.exceptions

from bursar.vault.errors import CannotOpen, Reason

KEY_BYTES = 32
NONCE_BYTES = 24
TAG_BYTES = 16


def encrypt(plaintext: bytes, *, aad: bytes, nonce: bytes, key: bytes) -> bytes:
    """Encrypt to as many bytes as there are and a tag of 16."""
    return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, aad, nonce, key)


def decrypt(ciphertext: bytes, *, aad: bytes, nonce: bytes, key: bytes) -> bytes:
    """Check the tag and decrypt.

    Raises:
        CannotOpen: too short, or the tag does not fit.
    """
    if len(ciphertext) < TAG_BYTES:
        raise CannotOpen(Reason.MALFORMED)
    plaintext = _decrypt(ciphertext, aad, nonce, key)
    if plaintext is None:
        raise CannotOpen(Reason.NOT_AUTHENTIC)
    return plaintext


def _decrypt(ciphertext: bytes, aad: bytes, nonce: bytes, key: bytes) -> bytes | None:
    try:
        return nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, aad, nonce, key)
    except nacl.exceptions.CryptoError:
        return None
