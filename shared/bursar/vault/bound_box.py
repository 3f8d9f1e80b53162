"""A sealed box that opens in one place only: the mechanism of envelopes (v2) and of shares.

The key comes from the agreement by HKDF over both public keys, so that it belongs to this pair
and this purpose. The place is associated data: it is not in the box, and whoever opens must name
the same.

It does not say who sealed: everybody who knows the recipient's public key can.
"""

from __future__ import annotations

from bursar.vault import aead
from bursar.vault.boxes import split
from bursar.vault.derivation import hkdf
from bursar.vault.encoding import framed
from bursar.vault.keys import PrivateKey, PublicKey, agree


def seal_bytes(
    ephemeral: PrivateKey, plaintext: bytes, recipient: PublicKey, *place: bytes
) -> bytes:
    """Seal bytes for a recipient and a place.

    Args:
        ephemeral: a fresh key, used for this box alone: it fixes the key and the nonce.
        place: what must be the same when it is opened; the first part is the purpose's label.
    """
    agreed, ephemeral_public = agree(ephemeral, recipient), ephemeral.public
    key, nonce = _key_and_nonce(agreed, place[0], ephemeral_public, recipient)
    ciphertext = aead.encrypt(plaintext, aad=framed(*place), nonce=nonce, key=key)
    return ephemeral_public.raw + ciphertext


def open_bytes(box: bytes | None, private_key: PrivateKey, *place: bytes) -> bytes:
    """Open a box in the place that it was sealed for.

    Raises:
        CannotOpen: too short, changed, or for another key, purpose or place.
    """
    ephemeral, ciphertext = split(box)
    agreed = agree(private_key, ephemeral)
    key, nonce = _key_and_nonce(agreed, place[0], ephemeral, private_key.public)
    return aead.decrypt(ciphertext, aad=framed(*place), nonce=nonce, key=key)


def _key_and_nonce(
    agreed: bytes, label: bytes, ephemeral: PublicKey, recipient: PublicKey
) -> tuple[bytes, bytes]:
    # The nonce may be derived, and need not be sent, because the key encrypts one message.
    info = label + ephemeral.raw + recipient.raw
    derived = hkdf(agreed, info, aead.KEY_BYTES + aead.NONCE_BYTES)
    return derived[: aead.KEY_BYTES], derived[aead.KEY_BYTES :]
