"""An account's private key, wrapped by a secret that its owner derives from a password.

The account's key is random and stays; a change of the password wraps it anew, and no share that
was sealed for it has to be made again. The same key is wrapped a second time by the recovery key.
"""

from __future__ import annotations

import secrets

from bursar.vault import aead
from bursar.vault.encoding import framed, from_base64, to_base64, to_utf8
from bursar.vault.errors import CannotOpen, InvalidKey, Reason
from bursar.vault.keys import KEY_BYTES, PrivateKey

_PREFIX = "bursar.account.v1."
_LABEL = b"bursar vault account key v1"
_WRAPPED_BYTES = aead.NONCE_BYTES + KEY_BYTES + aead.TAG_BYTES


def wrap_account_key(account_key: PrivateKey, wrapping_key: bytes, *, account_id: str) -> str:
    """Encrypt an account's private key under a secret of 32 bytes.

    Raises:
        InvalidKey: the secret has not 32 bytes.
        InvalidInput: an id with lone surrogates.
    """
    return _wrap_with(secrets.token_bytes(aead.NONCE_BYTES), account_key, wrapping_key, account_id)


def unwrap_account_key(text: str, wrapping_key: bytes, *, account_id: str) -> PrivateKey:
    """Decrypt an account's private key.

    Raises:
        CannotOpen: malformed, changed, of another account, or another secret.
        InvalidKey: the secret has not 32 bytes.
    """
    raw = from_base64(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) else None
    # The exact length, before any attempt: XChaCha20-Poly1305 does not commit to its key, and a
    # long ciphertext could be made to open under many guesses at once.
    if raw is None or len(raw) != _WRAPPED_BYTES:
        raise CannotOpen(Reason.MALFORMED)
    nonce, ciphertext = raw[: aead.NONCE_BYTES], raw[aead.NONCE_BYTES :]
    key = _checked(wrapping_key)
    return PrivateKey(aead.decrypt(ciphertext, aad=_aad(account_id), nonce=nonce, key=key))


def _wrap_with(nonce: bytes, account_key: PrivateKey, wrapping_key: bytes, account_id: str) -> str:
    key = _checked(wrapping_key)
    ciphertext = aead.encrypt(account_key.raw, aad=_aad(account_id), nonce=nonce, key=key)
    return _PREFIX + to_base64(nonce + ciphertext)


def _aad(account_id: str) -> bytes:
    return framed(_LABEL, to_utf8(account_id))


def _checked(wrapping_key: bytes) -> bytes:
    if len(wrapping_key) != aead.KEY_BYTES:
        raise InvalidKey("a wrapping key has 32 bytes")
    return wrapping_key
