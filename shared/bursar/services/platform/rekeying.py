"""Another key for a vault, made where the old one may be known: on its administrator's machine.

Every provider key is opened and sealed again, and the new key is shared with every holder of the
old one whom somebody with the vault's key has vouched for. A server that lists a holder of its own
making is found out here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bursar.domain.projects import PROVIDER_KEY_NAME
from bursar.services.platform.issuing import HolderShare, share_for
from bursar.vault import (
    Binding,
    PublicKey,
    check_voucher,
    format_of,
    open_sealed,
    seal_v1,
    seal_v2,
)

if TYPE_CHECKING:
    from bursar.domain.projects import ProviderKey, VaultShare
    from bursar.vault import PrivateKey


@dataclass(frozen=True, slots=True)
class Resealed:
    """A provider key's new text, and the version that it is bound to."""

    provider_key_id: str
    encrypted_key: str
    version: int


@dataclass(frozen=True, slots=True)
class Rekeying:
    """Everything that changes with a vault's key."""

    encryption_key: str
    provider_keys: Sequence[Resealed]
    shares: Sequence[tuple[str, HolderShare]]


def rekey(  # what a rotation is about
    old: PrivateKey,
    new: PrivateKey,
    project_id: str,
    provider_keys: Sequence[ProviderKey],
    shares: Sequence[VaultShare],
    *,
    oldest_format: int = 1,
) -> Rekeying:
    """Seal everything of a vault for another key.

    Args:
        old: the vault's private key.
        new: the one that replaces it.
        project_id: whose vault it is.
        provider_keys: all of the project's, archived ones too. What is sealed to an earlier key
            of the vault, which nobody has any more, stays as it is.
        shares: everybody who can open the vault.
        oldest_format: older ones are refused, and will be by the new shares.

    Raises:
        CannotOpen: a provider key that the old key does not open.
        NotVouched: a holder whom nobody with the vault's key has added.
    """
    for share in shares:
        check_voucher(
            old,
            vault_id=project_id,
            holder_id=share.holder_id,
            holder=PublicKey.parse(share.public_key),
            voucher=share.voucher,
        )
    public_key = str(old.public)
    current = [
        key for key in provider_keys if key.encrypted_key and key.sealed_to in {None, public_key}
    ]
    return Rekeying(
        str(new.public),
        [_resealed(old, new, key, oldest_format) for key in current],
        [(share.holder_id, _shared(new, project_id, share, oldest_format)) for share in shares],
    )


def seal_provider_key(  # noqa: PLR0917 (a key, whose, and where it will be)
    plaintext: str,
    recipient: PublicKey,
    project_id: str,
    provider: str,
    version: int,
    sealed_format: int,
) -> str:
    """Seal a provider key in the format that its readers know: 1 for published SDKs, else 2."""
    if sealed_format == 1:
        return seal_v1(plaintext, recipient)
    return seal_v2(plaintext, recipient, Binding(project_id, provider, PROVIDER_KEY_NAME, version))


def _resealed(old: PrivateKey, new: PrivateKey, key: ProviderKey, oldest_format: int) -> Resealed:
    binding = Binding(key.project_id, key.provider, PROVIDER_KEY_NAME, key.version)
    plaintext = open_sealed(key.encrypted_key, old, binding, oldest_format=oldest_format)
    sealed = seal_provider_key(
        plaintext,
        new.public,
        key.project_id,
        key.provider,
        key.version + 1,
        format_of(key.encrypted_key),
    )
    return Resealed(key.provider_key_id, sealed, key.version + 1)


def _shared(new: PrivateKey, project_id: str, share: VaultShare, oldest_format: int) -> HolderShare:
    holder = PublicKey.parse(share.public_key)
    return share_for(new, holder, project_id, share.holder_id, oldest_format=oldest_format)
