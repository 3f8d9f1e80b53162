"""Opening a project's provider key, for one request.

Imported by the first request that needs it, so that a start without projects does not pay for the
vault's library.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bursar.domain.errors import Unauthenticated, VaultClosed
from bursar.domain.projects import PROVIDER_KEY_NAME
from bursar.services.platform.in_force import key_in_force
from bursar.vault import (
    AnyLlmKey,
    Binding,
    CannotOpen,
    InvalidKey,
    OpenedVault,
    Reason,
    open_sealed,
    open_share,
    wrapping_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bursar.domain.projects import Project, ProviderKey, SealedKey, VaultShare
    from bursar.services.credentials import Credential

_IN_A_HEADER = re.compile(r"[\x21-\x7e]+")
_SEAL_AGAIN = "seal it again with 'bursar vault seal'"
_SEAL_IN_V2 = "seal it again with 'bursar vault seal --format 2'"
_NO_SHARE = "This key does not open its project's vault: issue another with 'bursar vault issue'"
_ROTATED = (
    "The vault's key was replaced and this key knows only the old one: issue another with "
    "'bursar vault issue'"
)


def vault_key_of(any_llm_key: str) -> AnyLlmKey:
    """Read an ANY_LLM_KEY.

    Raises:
        Unauthenticated: it is none; the message shows nothing of it.
    """
    try:
        return AnyLlmKey.parse(any_llm_key)
    except InvalidKey as error:
        raise Unauthenticated(f"Invalid ANY_LLM_KEY: {error}") from None


def open_provider_key(
    credential: Credential,
    project: Project,
    share: VaultShare | None,
    key: ProviderKey,
    now: datetime,
    *,
    is_file: bool = False,
) -> str:
    """Open a provider's key with what the caller has presented, as far as the vault accepts it.

    During a rotation there are two keys of the vault. Provider keys and shares are written one by
    one, so the pair that fits is looked for.

    Args:
        share: what is sealed for the caller's key; an ANY_LLM_KEY needs none.
        is_file: the provider's keys are files, of which nothing stands in a header.

    Raises:
        VaultClosed: the caller has no key of this vault, or the provider's key is not sealed to it.
    """
    in_force, problem = key_in_force(key, project), _NO_SHARE
    for vault in _vaults_of(credential, project, share):
        public_key = str(vault.private_key.public)
        if not project.accepts_vault(public_key, now):
            problem = _ROTATED
            continue
        sealed = in_force.sealed_for(public_key, now)
        if sealed is not None:
            return _open(vault, key, sealed, is_file=is_file)
        problem = f"The key of '{key.provider}' is sealed to an earlier vault key: {_SEAL_AGAIN}"
    raise VaultClosed(problem)


def _vaults_of(
    credential: Credential, project: Project, share: VaultShare | None
) -> Iterator[OpenedVault]:
    """The vault's keys that the caller has: one, and after a rotation the one before, too."""
    if credential.is_vault_key:
        yield OpenedVault(vault_key_of(credential.presented).private_key, oldest_format=1)
        return
    if share is None:
        return
    holder = wrapping_key(credential.presented)
    for sealed in (share.sealed, share.previous_sealed or ""):
        try:
            yield open_share(sealed, holder, vault_id=project.project_id, holder_id=share.holder_id)
        except CannotOpen:
            continue


def _open(vault: OpenedVault, key: ProviderKey, sealed: SealedKey, *, is_file: bool) -> str:
    binding = Binding(key.project_id, key.provider, PROVIDER_KEY_NAME, sealed.version)
    try:
        text = open_sealed(
            sealed.sealed, vault.private_key, binding, oldest_format=vault.oldest_format
        ).strip()
    except CannotOpen as error:
        again = _SEAL_IN_V2 if error.reason is Reason.REFUSED_FORMAT else _SEAL_AGAIN
        raise VaultClosed(
            f"The key of '{key.provider}' cannot be opened ({error}): {again}"
        ) from None
    if not is_file and not _IN_A_HEADER.fullmatch(text):
        raise VaultClosed(
            f"The key of '{key.provider}' holds characters that no HTTP header may hold: "
            f"{_SEAL_AGAIN}"
        )
    return text
