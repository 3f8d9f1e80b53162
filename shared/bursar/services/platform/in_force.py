"""What is sealed, as it was before a rotation that was broken off.

A rotation of a vault's key writes provider keys and shares first and the project last. What has
been written under a key that never became the project's counts as not written: what it replaced is
beside it and in force, so the next rotation starts from there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bursar.domain.projects import Project, ProviderKey, VaultShare


def key_in_force(key: ProviderKey, project: Project) -> ProviderKey:
    """A provider key as it is for whoever holds the project's vault key."""
    current = project.encryption_key
    if current is None or key.sealed_to == current or key.previous_sealed_to != current:
        return key
    return replace(
        key,
        encrypted_key=key.previous_encrypted_key or "",
        sealed_to=current,
        version=key.previous_version or 1,
        previous_encrypted_key=None,
        previous_sealed_to=None,
        previous_version=None,
        previous_valid_until=None,
    )


def share_in_force(share: VaultShare, project: Project) -> VaultShare:
    """A share of the project's vault key, where there is one."""
    current = project.encryption_key
    if current is None or share.sealed_to == current or share.previous_sealed_to != current:
        return share
    return replace(
        share,
        sealed=share.previous_sealed or "",
        voucher=share.previous_voucher or "",
        sealed_to=current,
        previous_sealed=None,
        previous_voucher=None,
        previous_sealed_to=None,
        previous_valid_until=None,
    )


def opens_vault(share: VaultShare, project: Project) -> bool:
    """Tell whether a share, as it is in force, opens the vault and not an earlier key's."""
    return share.sealed_to in {None, project.encryption_key}
