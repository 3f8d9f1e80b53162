"""Where a master key is kept between commands: the system's keyring, or a private file.

Secrets are kept by profile. The keyring is used where the machine has one that works.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from bursar.cli.failures import Failed
from bursar.cli.profiles import config_folder

if TYPE_CHECKING:
    from pathlib import Path

_SERVICE: Final = "bursar"
_OWNER_ONLY: Final = 0o600
_FOLDER_OWNER_ONLY: Final = 0o700


def read_secret_of(profile: str) -> str | None:
    """What is kept for a profile, None where nothing is.

    Raises:
        Failed: the file cannot be read.
    """
    kept = _read_file().get(profile)
    if kept is not None:
        return kept
    keyring = _keyring()
    secret: str | None = None if keyring is None else keyring.get_password(_SERVICE, profile)
    return secret


def keep_secret_of(profile: str, secret: str) -> str:
    """Keep a secret in place of any other of the profile; say where."""
    keyring = _keyring()
    if keyring is not None:
        keyring.set_password(_SERVICE, profile, secret)
        return "the system's keyring"
    _write_file({**_read_file(), profile: secret})
    return str(_path())


def forget_secret_of(profile: str) -> None:
    kept = _read_file()
    if kept.pop(profile, None) is not None:
        _write_file(kept)
    keyring = _keyring()
    if keyring is not None and keyring.get_password(_SERVICE, profile) is not None:
        keyring.delete_password(_SERVICE, profile)


def _keyring() -> Any:
    """The keyring library, where it is there and has somewhere to keep things."""
    if os.environ.get("BURSAR_KEYRING", "").lower() == "off":
        return None
    try:
        import keyring  # noqa: PLC0415 (0.14 s that only a missing file costs)
        from keyring.backends.fail import Keyring as Nowhere  # noqa: PLC0415
    except ImportError:
        return None
    return None if isinstance(keyring.get_keyring(), Nowhere) else keyring


def _path() -> Path:
    return config_folder() / "credentials.json"


def _read_file() -> dict[str, str]:
    try:
        kept: dict[str, str] = json.loads(_path().read_text("utf-8"))
        return dict(kept)
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError):
        raise Failed(f"{_path()} is damaged: remove it and log in again") from None


def _write_file(kept: dict[str, str]) -> None:
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=_FOLDER_OWNER_ONLY)
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(kept, file)
    draft.replace(path)
