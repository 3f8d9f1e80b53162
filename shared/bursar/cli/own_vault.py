"""Opening a project's vault on this machine, from a password or from the vault's own key."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bursar.cli.failures import Failed
from bursar.cli.gateway import Gateway
from bursar.cli.secret_input import ask_secret
from bursar.domain.projects import person_holder
from bursar.vault import (
    AnyLlmKey,
    CannotOpen,
    KdfParameters,
    OpenedVault,
    PasswordKeys,
    PrivateKey,
    derive,
    open_share,
    unwrap_account_key,
)

if TYPE_CHECKING:
    from bursar.cli.login_file import Login


@dataclass(frozen=True, slots=True)
class OwnSecrets:
    """What a person's password yields.

    Attributes:
        login_value: proves to the gateway that they know it.
        account_key: the person's own key, unwrapped.
    """

    login_value: str = field(repr=False)
    account_key: PrivateKey = field(repr=False)


def log_in(url: str, email: str, password: str) -> dict[str, Any]:
    """Sign in without sending the password; the gateway's answer, and what was derived for it."""
    gateway = Gateway(url)
    kdf = gateway.ask("POST", "/login/parameters", {"email": email})["kdf"]
    keys = derive(password, KdfParameters.parse(kdf))
    body = {"email": email, "login_value": keys.login_value}
    answer: dict[str, Any] = gateway.ask("POST", "/login/derived", body)
    return {**answer, "keys": keys}


def own_secrets(login: Login) -> OwnSecrets:
    """Unwrap this person's account key, which takes the password.

    Raises:
        Failed: the account has none.
    """
    password = ask_secret("BURSAR_PASSWORD", f"Password of {login.email}")
    answer = log_in(login.url, login.email, password)
    wrapped = answer.get("wrapped_account_key")
    if not wrapped:
        raise Failed("This account has no key of its own: set ANY_LLM_KEY to the vault's key")
    keys: PasswordKeys = answer["keys"]
    key = unwrap_account_key(wrapped, keys.wrapping_key, account_id=login.email)
    return OwnSecrets(keys.login_value, key)


def open_vault(login: Login, gateway: Gateway, project_id: str) -> OpenedVault:
    """Open a project's vault: by `ANY_LLM_KEY` where that is set, else by this person's share.

    Raises:
        Failed: this person cannot open it.
    """
    vault = gateway.ask("GET", f"/projects/{project_id}/vault")
    opened = _from_environment() or _from_share(login, gateway, project_id, vault)
    if str(opened.private_key.public) != vault["encryption_key"]:
        raise Failed("That key opened this vault once; it has been rotated since", 5)
    return opened


def _from_environment() -> OpenedVault | None:
    text = os.environ.get("ANY_LLM_KEY")
    return None if not text else OpenedVault(AnyLlmKey.parse(text).private_key, oldest_format=1)


def _from_share(
    login: Login, gateway: Gateway, project_id: str, vault: dict[str, Any]
) -> OpenedVault:
    holder = person_holder(gateway.ask("GET", "/accounts/me")["id"])
    sealed = {share["holder_id"]: share["sealed"] for share in vault["shares"]}.get(holder)
    if sealed is None:
        raise Failed("This vault is not shared with you: set ANY_LLM_KEY, or ask an owner", 4)
    try:
        return open_share(
            sealed, own_secrets(login).account_key, vault_id=project_id, holder_id=holder
        )
    except CannotOpen as error:
        raise Failed(f"Your share of this vault does not open: {error}") from None
