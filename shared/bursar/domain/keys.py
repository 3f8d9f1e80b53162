"""Virtual keys: what an application presents instead of a provider key.

A key is `gw-` and 384 random bits in URL-safe base64, the seed gateway's format, so that keys
issued there keep working. Only its SHA-256 is stored: with that many random bits, nothing slower
than one hash is needed to make the digest useless to a thief.

Keys that another gateway issued are taken over by their digest. Where their format is another, the
directory says so once for all of them, and what has no format of Bursar's is looked up as well.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bursar.domain.errors import Unauthenticated

PREFIX = "gw-"
_RANDOM_BYTES = 48
_LENGTH_MIN = 50
_FORMAT = re.compile(r"gw-[A-Za-z0-9_-]+")
_FOREIGN = re.compile(r"[!-~]{8,256}")
FOREIGN_KEYS: Final = "foreign-keys"
"""Linked in the directory like a digest, to the first key of a foreign format."""


@dataclass(frozen=True, slots=True)
class VirtualKey:
    """A virtual key's record; the key itself is shown once, when it is issued, and not kept.

    Attributes:
        digest: SHA-256 of the whole key, in hex.
        previous_digest: the digest that the last rotation replaced, accepted until
            `previous_valid_until`.
        allowed_models: patterns such as `openai:gpt-4o*`; None allows every model.
        budget_id: a budget of the key's own, beside its user's.
        budget_started_at: when that budget was assigned; rolling periods count from here.
        project_id: the project whose vault this key opens and whose budgets it spends from; None
            for a key that uses the deployment's own provider keys.
        client_id: the project's client that it spends for; None leaves that to each request.
    """

    key_id: str
    user_id: str
    digest: str
    created_at: datetime
    key_name: str | None = None
    last_used_at: datetime | None = None
    expires_at: datetime | None = None
    is_active: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)
    allowed_models: tuple[str, ...] | None = None
    budget_id: str | None = None
    budget_started_at: datetime | None = None
    rate_limit_rpm: int | None = None
    rate_limit_tpm: int | None = None
    previous_digest: str | None = None
    previous_valid_until: datetime | None = None
    project_id: str | None = None
    client_id: str | None = None

    def check_usable(self, presented_digest: str, now: datetime) -> None:
        """Decide whether this record vouches for a presented key.

        Raises:
            Unauthenticated: rotated away, inactive or expired, with the seed's messages.
        """
        if not self._vouches_for(presented_digest, now):
            raise Unauthenticated("Invalid API key")
        if not self.is_active:
            raise Unauthenticated("API key is inactive")
        if self.expires_at is not None and now >= self.expires_at:
            raise Unauthenticated("API key has expired")

    def _vouches_for(self, presented_digest: str, now: datetime) -> bool:
        if hmac.compare_digest(presented_digest, self.digest):
            return True
        if self.previous_digest is None or self.previous_valid_until is None:
            return False
        in_grace = now < self.previous_valid_until
        return in_grace and hmac.compare_digest(presented_digest, self.previous_digest)


def new_virtual_key() -> str:
    return PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def digest_of(virtual_key: str) -> str:
    return hashlib.sha256(virtual_key.encode()).hexdigest()


def could_be_foreign(presented: str) -> bool:
    """Whether it may be a key that another gateway made, so that looking it up makes sense."""
    return _FOREIGN.fullmatch(presented) is not None


def check_format(virtual_key: str) -> None:
    """Refuse what cannot be a virtual key, without a look into the store.

    Raises:
        Unauthenticated: with the seed's message.
    """
    if not virtual_key.startswith(PREFIX):
        raise Unauthenticated("Invalid API key format: API key must start with 'gw-' prefix")
    if len(virtual_key) < _LENGTH_MIN or not _FORMAT.fullmatch(virtual_key):
        raise Unauthenticated("Invalid API key format: API key is too short or malformed")
