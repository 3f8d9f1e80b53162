"""Making a project's virtual key on its administrator's machine, so that no server ever has it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bursar.domain.keys import digest_of, new_virtual_key
from bursar.domain.projects import key_holder
from bursar.vault import PrivateKey, PublicKey, share_with, vouch, wrapping_key


@dataclass(frozen=True, slots=True)
class HolderShare:
    """A vault's key sealed for a holder, as the gateway keeps it.

    Attributes:
        public_key: the holder's, in standard base64.
        sealed: the vault's private key, sealed for that holder in this vault only.
        voucher: what a later rotation of the vault believes the public key by.
    """

    public_key: str
    sealed: str
    voucher: str


@dataclass(frozen=True, slots=True)
class IssuedForVault:
    """A new virtual key and the two values that the gateway may know of it.

    Attributes:
        virtual_key: its text, to be shown once and to be kept by whoever uses it.
        digest: what the gateway finds it by, the text's SHA-256 in hex.
        share: what only the text opens.
    """

    virtual_key: str = field(repr=False)
    digest: str
    share: HolderShare


def issue_for_vault(
    vault_key: PrivateKey, project_id: str, *, oldest_format: int = 1
) -> IssuedForVault:
    """Make a virtual key that opens a project's vault.

    Args:
        vault_key: the vault's private key.
        project_id: whose vault it is.
        oldest_format: sealed provider keys of an older format will be refused for this key.
    """
    virtual_key = new_virtual_key()
    digest = digest_of(virtual_key)
    holder = wrapping_key(virtual_key).public
    share = share_for(
        vault_key, holder, project_id, key_holder(digest), oldest_format=oldest_format
    )
    return IssuedForVault(virtual_key, digest, share)


def share_for(
    vault_key: PrivateKey,
    holder: PublicKey,
    project_id: str,
    holder_id: str,
    *,
    oldest_format: int = 1,
) -> HolderShare:
    """Seal a vault's key for a holder, and vouch for the holder's public key."""
    sealed = share_with(
        vault_key, holder, vault_id=project_id, holder_id=holder_id, oldest_format=oldest_format
    )
    voucher = vouch(vault_key, vault_id=project_id, holder_id=holder_id, holder=holder)
    return HolderShare(str(holder), sealed, voucher)
