"""What the administrator's machine keeps of a stack, in a file that only its owner can read."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_OWNER_ONLY = 0o600
_OWNER_ONLY_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class Kept:
    """A stack's keys in plain text.

    Attributes:
        virtual_key: the first one, made to try the stack.
        model: what it was tried with.
    """

    master_key: str | None = field(default=None, repr=False)
    virtual_key: str | None = field(default=None, repr=False)
    model: str | None = None


def load(path: Path) -> Kept:
    """Read the file; nothing is kept where there is none.

    Raises:
        ValueError: it is damaged, and must not be overwritten.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Kept(content["master_key"], content["virtual_key"], content["model"])
    except FileNotFoundError:
        return Kept()
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is damaged: restore it or move it away") from None


def save(path: Path, kept: Kept) -> None:
    """Write the file whole or not at all."""
    path.parent.mkdir(mode=_OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)  # one that was left here may be readable by others
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(kept), file, indent=2)
    draft.replace(path)


def new_master_key() -> str:
    """A key of 256 random bits."""
    return "bursar-master-" + secrets.token_urlsafe(32)


def digest_of(master_key: str) -> str:
    """What is deployed of a master key: its SHA-256 in hex."""
    return hashlib.sha256(master_key.encode()).hexdigest()
