"""`bursar accounts`: people who sign in to the platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from bursar.cli.failures import Failed
from bursar.cli.gateway import Gateway, signed_in
from bursar.cli.login_file import Login, forget_login, write_login
from bursar.cli.options import gateway_url, read_consented
from bursar.cli.own_vault import log_in, own_secrets
from bursar.cli.secret_input import ask_secret
from bursar.services.platform.emails import normal_email
from bursar.vault import (
    KdfParameters,
    PrivateKey,
    derive,
    new_recovery_key,
    recovery_keys,
    unwrap_account_key,
    wrap_account_key,
)

_URL = click.option(
    "--url",
    default=gateway_url,
    callback=read_consented,
    show_default="BURSAR_URL, the profile's, or http://127.0.0.1:8000",
    help="The gateway's address.",
)
_PASSWORD_CHARS_MIN = 12


@click.group()
def account() -> None:
    """People who sign in to the platform."""


@account.command()
@click.argument("email")
@_URL
@click.option("--open", "is_open", is_flag=True, help="The gateway lets anybody sign up.")
def create(email: str, url: str, *, is_open: bool) -> None:
    """Make an account: the master key is asked for, and a password, which stays here.

    Example: bursar accounts create ada@example.com --url https://gateway.example.com
    """
    email = normal_email(email)
    master_key = None if is_open else ask_secret("BURSAR_MASTER_KEY", "Master key")
    made = _new_secrets(email, _new_password(), PrivateKey.generate())
    Gateway(url, master_key).ask("POST", "/accounts/", {"email": email, **made.body})
    _show_recovery_key(made.recovery_key)


@account.command()
@click.argument("email")
@_URL
def login(email: str, url: str) -> None:
    """Sign in. The token is kept in a file that only you can read."""
    email = normal_email(email)
    answer = log_in(url, email, ask_secret("BURSAR_PASSWORD", "Password"))
    write_login(Login(url, email, answer["access_token"]))
    click.echo(f"Signed in to {url} as {email}", err=True)


@account.command()
def logout() -> None:
    """End this session."""
    _, gateway = signed_in()
    gateway.ask("POST", "/logout")
    forget_login()


@account.command()
def whoami() -> None:
    """Say who is signed in and where, and by which public key vaults are shared with them.

    The key is derived here, from the password, so it is not the gateway's word.
    """
    known, gateway = signed_in()
    click.echo(f"{known.email} at {known.url}")
    if gateway.ask("GET", "/accounts/me")["account_public_key"]:
        click.echo(f"Public key: {own_secrets(known).account_key.public}")


@account.command()
def password() -> None:
    """Change your password. Vaults stay as they are; all sessions end."""
    known, gateway = signed_in()
    current = own_secrets(known)
    body = _wrapped(known.email, ask_new_password(), current.account_key)
    proof = {"current_login_value": current.login_value}
    gateway.ask("POST", "/accounts/me/password", {**proof, **body})
    forget_login()
    click.echo("Changed. Sign in again.", err=True)


@account.command()
@click.argument("email")
@_URL
def recover(email: str, url: str) -> None:
    """Set a new password with the recovery key that was shown when the account was made."""
    email = normal_email(email)
    gateway = Gateway(url)
    known = recovery_keys(ask_secret("BURSAR_RECOVERY_KEY", "Recovery key"))
    proof = {"email": email, "recovery_login_value": known.login_value}
    kept = gateway.ask("POST", "/accounts/recovery", proof)
    wrapped = kept["recovery_wrapped_account_key"]
    key = unwrap_account_key(wrapped, known.wrapping_key, account_id=email)
    made = _new_secrets(email, ask_new_password(), key)
    renamed = {
        ("recovery_login_value_new" if name == "recovery_login_value" else name): value
        for name, value in made.body.items()
        if name != "account_public_key"
    }
    gateway.ask("POST", "/accounts/recovery/complete", {**renamed, **proof})
    _show_recovery_key(made.recovery_key)


def ask_new_password() -> str:
    return _checked(ask_secret("BURSAR_NEW_PASSWORD", "New password", confirm=True))


def _new_password() -> str:
    return _checked(ask_secret("BURSAR_PASSWORD", "Password", confirm=True))


def _checked(text: str) -> str:
    if len(text) < _PASSWORD_CHARS_MIN:
        raise Failed(f"A password has at least {_PASSWORD_CHARS_MIN} characters", 2)
    return text


@dataclass(frozen=True, slots=True)
class _NewSecrets:
    body: dict[str, Any]
    recovery_key: str


def _new_secrets(email: str, text: str, key: PrivateKey) -> _NewSecrets:
    """Wrap an account's key by a password and by a fresh recovery key."""
    body = _wrapped(email, text, key)
    recovery_key = new_recovery_key()
    spare = recovery_keys(recovery_key)
    body |= {
        "account_public_key": str(key.public),
        "recovery_login_value": spare.login_value,
        "recovery_wrapped_account_key": wrap_account_key(key, spare.wrapping_key, account_id=email),
    }
    return _NewSecrets(body, recovery_key)


def _wrapped(email: str, text: str, key: PrivateKey) -> dict[str, Any]:
    kdf = KdfParameters.fresh()
    keys = derive(text, kdf)
    wrapped = wrap_account_key(key, keys.wrapping_key, account_id=email)
    return {"kdf": str(kdf), "login_value": keys.login_value, "wrapped_account_key": wrapped}


def _show_recovery_key(recovery_key: str) -> None:
    click.echo(
        "The recovery key follows. It is shown this once: without it and the password, what only "
        "you can open is lost. Print it, or keep it in a password manager.",
        err=True,
    )
    click.echo(recovery_key)
