"""Format v2: a provider key, sealed for one vault and one place in it. FORMAT.md has its layout."""

from __future__ import annotations

from dataclasses import dataclass

from bursar.vault.bound_box import open_bytes, seal_bytes
from bursar.vault.boxes import as_text
from bursar.vault.encoding import from_base64, to_base64, to_utf8
from bursar.vault.errors import CannotOpen, InvalidInput, Reason
from bursar.vault.keys import PrivateKey, PublicKey

PREFIX = "bursar.v2."
_LABEL = b"bursar vault v2 provider key"
_VERSION_BYTES = 8


@dataclass(frozen=True, slots=True)
class Binding:
    """The place that a sealed key belongs to, compared byte for byte: no name is normalised.

    Attributes:
        version: 1 for a key's first value, one more whenever it is replaced; below 2**64.

    Raises:
        InvalidInput: a version out of range, or a name with lone surrogates.
    """

    vault_id: str
    provider: str
    key_name: str
    version: int

    def __post_init__(self) -> None:
        if not 1 <= self.version < 2 ** (8 * _VERSION_BYTES):
            raise InvalidInput("a key's version is at least 1 and below 2**64")
        self.place()

    def place(self) -> tuple[bytes, ...]:
        """List what the associated data are made of, in the format's order."""
        names = (self.vault_id, self.provider, self.key_name)
        version = self.version.to_bytes(_VERSION_BYTES, "big")
        return (_LABEL, *(to_utf8(name) for name in names), version)


def seal_v2(plaintext: str, recipient: PublicKey, binding: Binding) -> str:
    """Seal text so that only the recipient's private key opens it, and only in this place.

    Raises:
        InvalidInput: lone surrogates.
    """
    return _seal_with(PrivateKey.generate(), plaintext, recipient, binding)


def open_v2(sealed: str, private_key: PrivateKey, binding: Binding) -> str:
    """Open what was sealed for this key and this place.

    Raises:
        CannotOpen: another format, malformed, changed, for another key or place, or no text.
    """
    if not sealed.startswith(PREFIX):
        raise CannotOpen(Reason.MALFORMED)
    box = from_base64(sealed.removeprefix(PREFIX))
    return as_text(open_bytes(box, private_key, *binding.place()))


def _seal_with(
    ephemeral: PrivateKey, plaintext: str, recipient: PublicKey, binding: Binding
) -> str:
    box = seal_bytes(ephemeral, to_utf8(plaintext), recipient, *binding.place())
    return PREFIX + to_base64(box)
