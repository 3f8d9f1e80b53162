"""Keys that are sealed on the client, and opened by nobody who only stores them.

A small library of its own: it imports nothing else of Bursar and does no IO. FORMAT.md describes
every text that it writes, byte by byte, and what it protects against.
"""

from bursar.vault.account_keys import unwrap_account_key, wrap_account_key
from bursar.vault.any_llm_key import AnyLlmKey, is_any_llm_key
from bursar.vault.envelope import Binding, open_v2, seal_v2
from bursar.vault.errors import (
    CannotOpen,
    InvalidInput,
    InvalidKey,
    NotVouched,
    Reason,
    VaultError,
    WeakParameters,
)
from bursar.vault.keys import PrivateKey, PublicKey
from bursar.vault.opening import format_of, open_sealed
from bursar.vault.passwords import KdfParameters, PasswordKeys, derive, verifier_of, verify
from bursar.vault.recovery import new_recovery_key, recovery_keys
from bursar.vault.sealed_box import open_v1, seal_v1
from bursar.vault.shares import (
    OpenedVault,
    check_voucher,
    open_share,
    share_with,
    vouch,
    wrapping_key,
)

__all__ = [
    "AnyLlmKey",
    "Binding",
    "CannotOpen",
    "InvalidInput",
    "InvalidKey",
    "KdfParameters",
    "NotVouched",
    "OpenedVault",
    "PasswordKeys",
    "PrivateKey",
    "PublicKey",
    "Reason",
    "VaultError",
    "WeakParameters",
    "check_voucher",
    "derive",
    "format_of",
    "is_any_llm_key",
    "new_recovery_key",
    "open_sealed",
    "open_share",
    "open_v1",
    "open_v2",
    "recovery_keys",
    "seal_v1",
    "seal_v2",
    "share_with",
    "unwrap_account_key",
    "verifier_of",
    "verify",
    "vouch",
    "wrap_account_key",
    "wrapping_key",
]
