"""Format v1: the any-llm platform's sealed box, byte for byte. FORMAT.md has its layout.

It says nothing about where it belongs: a sealed key that was moved to another row, or replaced by
an older one, still opens. `envelope` has the format that does not.
"""

from __future__ import annotations

import hashlib

from bursar.vault import aead
from bursar.vault.boxes import as_text, split
from bursar.vault.encoding import from_base64, to_base64, to_utf8
from bursar.vault.keys import PrivateKey, PublicKey, agree

_NO_AAD = b""


def seal_v1(plaintext: str, recipient: PublicKey) -> str:
    """Seal text so that only the recipient's private key opens it.

    Returns:
        Standard base64 of 48 bytes more than the text has in UTF-8.

    Raises:
        InvalidInput: lone surrogates.
    """
    return _seal_with(PrivateKey.generate(), plaintext, recipient)


def open_v1(sealed: str, private_key: PrivateKey) -> str:
    """Open what was sealed for this key.

    Raises:
        CannotOpen: not canonical base64, too short, changed, for another key, or no text.
    """
    ephemeral, ciphertext = split(from_base64(sealed))
    nonce = _nonce(ephemeral, private_key.public)
    key = agree(private_key, ephemeral)
    return as_text(aead.decrypt(ciphertext, aad=_NO_AAD, nonce=nonce, key=key))


def _seal_with(ephemeral: PrivateKey, plaintext: str, recipient: PublicKey) -> str:
    ephemeral_public = ephemeral.public
    nonce = _nonce(ephemeral_public, recipient)
    # The agreed bytes are not uniform, and the format uses them as the key all the same. That is
    # safe because XChaCha20 hashes key and nonce (HChaCha20) before it encrypts with the result,
    # and because the ephemeral key, so also this key, is used once.
    key = agree(ephemeral, recipient)
    ciphertext = aead.encrypt(to_utf8(plaintext), aad=_NO_AAD, nonce=nonce, key=key)
    return to_base64(ephemeral_public.raw + ciphertext)


def _nonce(ephemeral: PublicKey, recipient: PublicKey) -> bytes:
    return hashlib.sha512(ephemeral.raw + recipient.raw).digest()[: aead.NONCE_BYTES]
