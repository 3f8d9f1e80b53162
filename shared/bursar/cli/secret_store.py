"""Where a master key is kept between commands: the system's keyring, or a private file.

Secrets are kept by profile; `key_of` names a second one, the virtual key that `bursar chat` uses.
The keyring is used where the machine has one that works.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

import click

from bursar.cli.failures import Failed
from bursar.cli.private_file import is_open_to_others, write_private
from bursar.cli.profiles import config_folder

if TYPE_CHECKING:
    from pathlib import Path

_SERVICE: Final = "bursar"
_KEYRING: Final = "the system's keyring"


def key_of(profile: str) -> str:
    """The name that a profile's virtual key is kept by; no profile can have it."""
    return f"{profile}/key"


def read_secret_of(profile: str) -> str | None:
    """What is kept for a profile, None where nothing is.

    Raises:
        Failed: the file cannot be read, or the keyring does not open.
    """
    kept = _read_file().get(profile)
    if kept is not None and is_open_to_others(_path()):
        click.echo(f"Other users can read {_path()}: chmod 600 {_path()}", err=True)
    return _from_keyring(profile) if kept is None else kept


def place_of(profile: str) -> str | None:
    """Where a profile's secret is kept, None where there is none."""
    if profile in _read_file():
        return str(_path())
    return None if _from_keyring(profile) is None else _KEYRING


def keep_secret_of(profile: str, secret: str) -> str:
    """Keep a secret in place of any other of the profile; say where.

    A keyring that is there and refuses, as one that is locked does, leaves it to the file.
    """
    keyring = _keyring()
    if keyring is not None and _put(keyring, profile, secret):
        _drop(profile)
        return _KEYRING
    _write_file({**_read_file(), profile: secret})
    return str(_path())


def forget_secret_of(profile: str) -> bool:
    """Tell whether there was any."""
    was_there = _drop(profile)
    keyring = _keyring()
    if keyring is not None and _from_keyring(profile) is not None:
        keyring.delete_password(_SERVICE, profile)
        return True
    return was_there


def _from_keyring(profile: str) -> str | None:
    keyring = _keyring()
    if keyring is None:
        return None
    try:
        secret: str | None = keyring.get_password(_SERVICE, profile)
    except keyring.errors.KeyringError as error:
        raise Failed(
            f"The system's keyring does not open ({error}): unlock it, set BURSAR_MASTER_KEY, or "
            "set BURSAR_KEYRING=off to do without it"
        ) from None
    return secret


def _put(keyring: Any, profile: str, secret: str) -> bool:
    try:
        keyring.set_password(_SERVICE, profile, secret)
    except keyring.errors.KeyringError:
        return False
    return True


def _keyring() -> Any:
    """The keyring library, where it is there and has somewhere to keep things."""
    if os.environ.get("BURSAR_KEYRING", "").lower() == "off":
        return None
    try:
        import keyring  # noqa: PLC0415 (0.14 s that only a missing file costs)
        import keyring.errors  # noqa: PLC0415
        from keyring.backends.fail import Keyring as Nowhere  # noqa: PLC0415
    except ImportError:
        return None
    return None if isinstance(keyring.get_keyring(), Nowhere) else keyring


def _drop(profile: str) -> bool:
    """Take a secret out of the file; tell whether it was there."""
    kept = _read_file()
    if kept.pop(profile, None) is None:
        return False
    _write_file(kept)
    return True


def _path() -> Path:
    return config_folder() / "credentials.json"


def _read_file() -> dict[str, str]:
    try:
        kept = json.loads(_path().read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or not all(isinstance(each, str) for each in kept.values()):
        raise Failed(f"{_path()} is damaged: remove it and log in again")
    return kept


def _write_file(kept: dict[str, str]) -> None:
    write_private(_path(), json.dumps(kept))
