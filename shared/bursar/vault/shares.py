"""How a vault's private key reaches whoever may open it, through a server that may not.

    virtual key's text ──HKDF──► wrapping key (X25519, never stored)
                                   └─ public half (stored): the holder that a share is sealed for

A share is sealed for one holder of one vault. A voucher, made by whoever has the vault's key, says
that a holder's public key is genuine: a rotation seals the new key only for holders with one, so
that a server cannot add itself by listing a key of its own.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from bursar.vault.bound_box import open_bytes, seal_bytes
from bursar.vault.derivation import hkdf
from bursar.vault.encoding import framed, from_base64, to_base64, to_utf8
from bursar.vault.errors import CannotOpen, InvalidInput, NotVouched, Reason
from bursar.vault.keys import KEY_BYTES, PrivateKey, PublicKey

_SHARE_PREFIX = "bursar.share.v1."
_VOUCHER_PREFIX = "bursar.voucher.v1."
_SHARE_LABEL = b"bursar vault share v1"
_VOUCHER_LABEL = b"bursar vault voucher v1"
_VIRTUAL_KEY_LABEL = b"bursar vault virtual key v1"
_FORMAT_MAX = 255


@dataclass(frozen=True, slots=True)
class OpenedVault:
    """What a share tells its holder.

    Attributes:
        oldest_format: sealed keys of an older format are to be refused.
    """

    private_key: PrivateKey
    oldest_format: int


def wrapping_key(virtual_key: str) -> PrivateKey:
    """Derive a virtual key's own X25519 key from its text.

    Nothing follows from the digest that is stored for look-up, the text's SHA-256. HKDF takes the
    text as HMAC's message, never as its key: HMAC replaces keys of more than 64 bytes by their
    SHA-256, and virtual keys have 67, so the stored digest would be all that it takes.

    Raises:
        InvalidInput: lone surrogates.
    """
    return PrivateKey(hkdf(to_utf8(virtual_key), _VIRTUAL_KEY_LABEL, KEY_BYTES))


def share_with(
    vault_key: PrivateKey,
    holder: PublicKey,
    *,
    vault_id: str,
    holder_id: str,
    oldest_format: int = 1,
) -> str:
    """Seal a vault's private key, and the oldest format it may open, for one holder.

    Raises:
        InvalidInput: ids with lone surrogates, or a format that is not in 1 to 255.
    """
    place = _place(_SHARE_LABEL, vault_id, holder_id)
    return _share_with(PrivateKey.generate(), vault_key, holder, place, oldest_format)


def open_share(share: str, holder_key: PrivateKey, *, vault_id: str, holder_id: str) -> OpenedVault:
    """Open a share that was made for this holder of this vault.

    Raises:
        CannotOpen: no share, changed, or for another holder or vault.
    """
    if not share.startswith(_SHARE_PREFIX):
        raise CannotOpen(Reason.MALFORMED)
    box = from_base64(share.removeprefix(_SHARE_PREFIX))
    opened = open_bytes(box, holder_key, *_place(_SHARE_LABEL, vault_id, holder_id))
    if len(opened) != 1 + KEY_BYTES or opened[0] == 0:
        raise CannotOpen(Reason.MALFORMED)
    return OpenedVault(PrivateKey(opened[1:]), oldest_format=opened[0])


def vouch(vault_key: PrivateKey, *, vault_id: str, holder_id: str, holder: PublicKey) -> str:
    """Say, as one who has the vault's key, that a holder's public key is genuine.

    An HMAC suffices where a signature would be expected: whoever checks it has the vault's key.

    Raises:
        InvalidInput: ids with lone surrogates.
    """
    key = hkdf(vault_key.raw, _VOUCHER_LABEL, KEY_BYTES)
    message = framed(*_place(_VOUCHER_LABEL, vault_id, holder_id), holder.raw)
    return _VOUCHER_PREFIX + to_base64(hmac.digest(key, message, "sha256"))


def check_voucher(
    vault_key: PrivateKey, *, vault_id: str, holder_id: str, holder: PublicKey, voucher: str
) -> None:
    """Check that somebody with the vault's key has vouched for this holder's public key.

    Raises:
        NotVouched: for another vault, holder or public key, or no voucher at all.
    """
    expected = vouch(vault_key, vault_id=vault_id, holder_id=holder_id, holder=holder)
    if not hmac.compare_digest(expected.encode(), voucher.encode(errors="replace")):
        raise NotVouched("nobody with the vault's key has vouched for this public key")


def _share_with(
    ephemeral: PrivateKey,
    vault_key: PrivateKey,
    holder: PublicKey,
    place: tuple[bytes, ...],
    oldest_format: int,
) -> str:
    if not 1 <= oldest_format <= _FORMAT_MAX:
        raise InvalidInput("a format's number is in 1 to 255")
    plaintext = bytes([oldest_format]) + vault_key.raw
    return _SHARE_PREFIX + to_base64(seal_bytes(ephemeral, plaintext, holder, *place))


def _place(label: bytes, vault_id: str, holder_id: str) -> tuple[bytes, ...]:
    return label, to_utf8(vault_id), to_utf8(holder_id)
