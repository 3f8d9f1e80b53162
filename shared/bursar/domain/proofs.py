"""Challenges and sessions: what proves, for a while, who is asking.

Both are known by the SHA-256 of a random text that only the other side keeps, so that a copy of
the table opens none of them.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

_SESSION_BYTES = 32
SESSION_PREFIX = "bst-"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A random id that was sealed to a vault's public key; whoever tells it can open the vault."""

    digest: str
    project_id: str
    public_key: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A token's record.

    Attributes:
        digest: SHA-256 of the token, in hex.
        person_id: who signed in; None for a project's token.
        project_id: whose vault was opened; None for a person's token.
        public_key: the vault's key at that time: the token ends when the vault's key does.
    """

    digest: str
    created_at: datetime
    expires_at: datetime
    person_id: str | None = None
    project_id: str | None = None
    public_key: str | None = None


def new_session_token() -> str:
    return SESSION_PREFIX + secrets.token_urlsafe(_SESSION_BYTES)


def proof_digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
