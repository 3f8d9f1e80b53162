"""People who sign in, and what they may do in which project.

The platform's API calls them accounts; here that word is the ledger's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a person may do in a project.

    READ_ONLY sees all of it and changes nothing. MEMBER also manages provider keys, clients and
    virtual keys. OWNER also sets budgets, says who belongs to it, rotates its vault and deletes it.
    """

    OWNER = "owner"
    MEMBER = "member"
    READ_ONLY = "read_only"

    def includes(self, needed: Role) -> bool:
        return _RANK[self] >= _RANK[needed]


_RANK = {Role.READ_ONLY: 0, Role.MEMBER: 1, Role.OWNER: 2}


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with an email address and a password.

    Attributes:
        email: in lower case, unique.
        kdf: how this person's password is stretched: algorithm, cost and salt.
        login_verifier: digest of the login value that the password yields.
        sessions_valid_from: sessions opened earlier are over: the password was changed.
        account_public_key: of the person's own X25519 key, which project vaults are shared with;
            None for someone whom only published clients signed up, who has none.
        wrapped_account_key: that key's private half, wrapped by what the password yields besides
            the login value and what never leaves the person's device.
        recovery_verifier: digest of the login value that the recovery key yields.
        recovery_wrapped_account_key: the private half, wrapped by the recovery key.
    """

    person_id: str
    email: str
    created_at: datetime
    updated_at: datetime
    kdf: str
    login_verifier: str
    sessions_valid_from: datetime
    account_public_key: str | None = None
    wrapped_account_key: str | None = None
    recovery_verifier: str | None = None
    recovery_wrapped_account_key: str | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's role in a project."""

    project_id: str
    person_id: str
    role: Role
    created_at: datetime
