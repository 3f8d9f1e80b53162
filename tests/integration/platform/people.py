"""What clients of Bursar's own send in the place of passwords and recovery keys."""

from __future__ import annotations

import secrets
from base64 import b64encode
from typing import TYPE_CHECKING

from bursar.vault import (
    KdfParameters,
    derive,
    new_recovery_key,
    recovery_keys,
    wrap_account_key,
)

if TYPE_CHECKING:
    from bursar.vault import PrivateKey

PASSWORD = "correct horse battery staple"


def derived_secrets(email: str, key: PrivateKey, password: str | None = None) -> dict[str, str]:
    """What stands for a password; without one random values, for no password is stretched then."""
    kdf = KdfParameters.fresh()
    if password is None:
        login_value, wrapping_key = _random(), secrets.token_bytes(32)
    else:
        keys = derive(password, kdf)
        login_value, wrapping_key = keys.login_value, keys.wrapping_key
    wrapped = wrap_account_key(key, wrapping_key, account_id=email)
    return {"kdf": str(kdf), "login_value": login_value, "wrapped_account_key": wrapped}


def recovery_secrets(
    email: str, key: PrivateKey, recovery_key: str | None = None
) -> dict[str, str]:
    """What stands for a recovery key."""
    keys = recovery_keys(recovery_key or new_recovery_key())
    wrapped = wrap_account_key(key, keys.wrapping_key, account_id=email)
    return {"recovery_login_value": keys.login_value, "recovery_wrapped_account_key": wrapped}


def keyed_account(
    email: str, key: PrivateKey, *, password: str | None = None, recovery_key: str | None = None
) -> dict[str, str]:
    """The body that makes an account with a key of its own."""
    public = {"email": email, "account_public_key": str(key.public)}
    secret = derived_secrets(email, key, password)
    return public | secret | recovery_secrets(email, key, recovery_key)


def _random() -> str:
    return b64encode(secrets.token_bytes(32)).decode()
