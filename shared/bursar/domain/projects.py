"""Projects: a team's or an environment's vault, clients, budgets, virtual keys and books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from bursar.domain.periods import Calendar, Period, calendar


class SpendPeriod(StrEnum):
    """The periods of a project's budgets, in UTC; weeks begin on Sunday."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"

    def period_at(self, now: datetime) -> Period:
        return calendar(_CALENDARS[self], "UTC", now)


_CALENDARS = {
    SpendPeriod.DAILY: Calendar.DAY,
    SpendPeriod.WEEKLY: Calendar.SUNDAY_WEEK,
    SpendPeriod.MONTHLY: Calendar.MONTH,
}


@dataclass(frozen=True, slots=True)
class Project:
    """A project and the public half of its vault's key.

    Attributes:
        encryption_key: the vault's public X25519 key in standard base64; the private half is
            never here. None for a project that has no vault yet.
        previous_encryption_key: the key that the last rotation replaced, which still opens what
            it could until `previous_valid_until`.
        default_client_id: the client that a request without a name counts for.
    """

    project_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    encryption_key: str | None = None
    previous_encryption_key: str | None = None
    previous_valid_until: datetime | None = None
    default_client_id: str | None = None

    def accepts_vault(self, public_key: str, now: datetime) -> bool:
        """Tell whether a public key is the vault's, or was until lately."""
        if public_key == self.encryption_key:
            return True
        in_grace = self.previous_valid_until is not None and now < self.previous_valid_until
        return in_grace and public_key == self.previous_encryption_key


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A provider's key, sealed for a project's vault.

    Attributes:
        encrypted_key: sealed in format v1 or v2; empty for providers that need no key.
        sealed_to: the vault's public key at the time it was sealed.
        version: counts what was sealed under this record, from 1; format v2 binds it.
        previous_encrypted_key: what the last rotation of the vault replaced, sealed to
            `previous_sealed_to` and in use until `previous_valid_until`.
    """

    provider_key_id: str
    project_id: str
    provider: str
    encrypted_key: str
    created_at: datetime
    sealed_to: str | None = None
    version: int = 1
    updated_at: datetime | None = None
    archived_at: datetime | None = None
    last_used_at: datetime | None = None
    previous_encrypted_key: str | None = None
    previous_sealed_to: str | None = None
    previous_version: int | None = None
    previous_valid_until: datetime | None = None

    def sealed_for(self, public_key: str, now: datetime) -> SealedKey | None:
        """What the holder of this vault's key can open; None where nothing is sealed to it."""
        if self.sealed_to == public_key:
            return SealedKey(self.encrypted_key, self.version)
        in_grace = self.previous_valid_until is not None and now < self.previous_valid_until
        if in_grace and self.previous_sealed_to == public_key:
            return SealedKey(self.previous_encrypted_key or "", self.previous_version or 1)
        return None


PROVIDER_KEY_NAME = "default"
"""A provider has one key in a project, so its name, which format v2 binds, is always the same."""


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A sealed provider key and the version that it was sealed under."""

    sealed: str
    version: int


@dataclass(frozen=True, slots=True)
class Client:
    """A named part of a project, with budgets of its own: a service, a person, an environment."""

    client_id: str
    project_id: str
    name: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ProjectBudget:
    """A limit of a project's spending, or of one of its clients', in a period.

    Attributes:
        slot: `<holder>/<period>`, where the holder is `project` or a client's id: one each.
        client_id: None where it limits the whole project.
    """

    slot: str
    budget_id: str
    project_id: str
    spend_period: SpendPeriod
    limit_usd: Decimal
    created_at: datetime
    updated_at: datetime
    client_id: str | None = None


def budget_slot(client_id: str | None, period: SpendPeriod) -> str:
    return f"{client_id or 'project'}/{period}"


@dataclass(frozen=True, slots=True)
class VaultShare:
    """A vault's private key, sealed to one holder: a person's device or a virtual key.

    Attributes:
        holder_id: `person/<person id>`, or `key/<digest>` with the digest of a virtual key.
        public_key: the holder's X25519 key; a virtual key's is derived from its text.
        voucher: proves that whoever added the holder could open the vault.
        sealed_to: the public half of the vault's key that is sealed in it.
        previous_sealed: the share in the key that the last rotation replaced, of which
            `previous_sealed_to` is the public half, in use until `previous_valid_until`; that
            key's voucher is `previous_voucher`.
    """

    holder_id: str
    project_id: str
    public_key: str
    sealed: str
    voucher: str
    created_at: datetime
    updated_at: datetime
    previous_sealed: str | None = None
    previous_valid_until: datetime | None = None
    sealed_to: str | None = None
    previous_sealed_to: str | None = None
    previous_voucher: str | None = None


def person_holder(person_id: str) -> str:
    return f"person/{person_id}"


def key_holder(digest: str) -> str:
    return f"key/{digest}"


_USER_PREFIX = "project/"


def project_user_id(project_id: str) -> str:
    """The user whom a project's spending is accounted to."""
    return _USER_PREFIX + project_id


def is_project_user(user_id: str) -> bool:
    """Tell whether a user stands for a project; nobody can create such a user by hand."""
    return user_id.startswith(_USER_PREFIX)
