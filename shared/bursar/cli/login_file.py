"""Who is signed in where: a file that only its owner can read.

It holds a token, which can be revoked and ends by itself, and nothing that opens a vault: the
password is asked for whenever one is opened.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bursar.cli.failures import Failed
from bursar.cli.private_file import write_private


@dataclass(frozen=True, slots=True)
class Login:
    """A signed-in person."""

    url: str
    email: str
    token: str = field(repr=False)


def login_path() -> Path:
    configured = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(configured) if configured else Path.home() / ".config"
    return folder / "bursar" / "login.json"


def read_login() -> Login:
    """Read who is signed in.

    Raises:
        Failed: nobody is.
    """
    try:
        return Login(**json.loads(login_path().read_text("utf-8")))
    except FileNotFoundError:
        raise Failed("You are not signed in: bursar accounts login EMAIL --url URL", 4) from None
    except (ValueError, TypeError):
        raise Failed(f"{login_path()} is damaged: sign in again", 4) from None


def write_login(login: Login) -> None:
    write_private(login_path(), json.dumps(asdict(login)))


def forget_login() -> None:
    login_path().unlink(missing_ok=True)
