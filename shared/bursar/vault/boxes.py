"""What every sealed box has in common: an ephemeral public key, then a ciphertext and its tag."""

from __future__ import annotations

from bursar.vault import aead
from bursar.vault.encoding import from_utf8
from bursar.vault.errors import CannotOpen, InvalidKey, Reason
from bursar.vault.keys import KEY_BYTES, PublicKey

OVERHEAD_BYTES = KEY_BYTES + aead.TAG_BYTES


def split(box: bytes | None) -> tuple[PublicKey, bytes]:
    """Split a decoded box into its ephemeral key and its ciphertext.

    Args:
        box: None where decoding has failed already.

    Raises:
        CannotOpen: too short, or an ephemeral key that no honest sealer makes.
    """
    if box is None or len(box) < OVERHEAD_BYTES:
        raise CannotOpen(Reason.MALFORMED)
    try:
        return PublicKey(box[:KEY_BYTES]), box[KEY_BYTES:]
    except InvalidKey:
        raise CannotOpen(Reason.MALFORMED) from None


def as_text(plaintext: bytes) -> str:
    """Read an opened box as text.

    Raises:
        CannotOpen: no UTF-8.
    """
    text = from_utf8(plaintext)
    if text is None:
        raise CannotOpen(Reason.NOT_TEXT)
    return text
