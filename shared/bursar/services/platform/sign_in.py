"""Signing in with a password, or with what a password yields.

A client of Bursar's own sends the login value that it derived. The published clients send the
password; the login value is derived here and nothing else is kept.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bursar.domain.errors import Unauthenticated
from bursar.domain.people import Person
from bursar.domain.proofs import Session, new_session_token, proof_digest
from bursar.services.platform.emails import normal_email
from bursar.services.platform.passwords import login_value_of
from bursar.vault import KdfParameters, verify

if TYPE_CHECKING:
    from datetime import datetime

    from bursar.ports import Clock, Platform
    from bursar.services.platform.attempts import Attempts
    from bursar.services.platform.rules import PlatformRules

_SALT_BYTES = 16
_NOBODY = "nobody"
_NOBODYS_VERIFIER = "0" * 64
_SECRET = "login"  # noqa: S105 (a secret's name)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person, and a token that stands for them."""

    person: Person
    token: str = field(repr=False)
    expires_in_s: int


class SignIn:
    """Opens and ends people's sessions."""

    def __init__(
        self, platform: Platform, attempts: Attempts, rules: PlatformRules, clock: Clock
    ) -> None:
        self._platform = platform
        self._attempts = attempts
        self._rules = rules
        self._clock = clock

    async def parameters(self, email: str) -> str:
        """What a person's password is stretched with; for an unknown email something as good.

        The same each time, so that it does not tell who has an account.
        """
        person = await self.find(email)
        return await self._kdf_of(person, email)

    async def by_password(self, email: str, password: str, source: str) -> SignedIn:
        """Sign in with the password itself.

        Raises:
            Unauthenticated: wrong email or password; which of them is not said.
            RateLimited: too often.
        """
        email = normal_email(email)
        async with self._attempts.at_login(email, source):
            began_at, person = self._clock(), await self.find(email)
            login_value = await login_value_of(password, await self._kdf_of(person, email))
            return await self._signed_in(person, login_value, began_at)

    async def by_login_value(self, email: str, login_value: str, source: str) -> SignedIn:
        """Sign in with what the password yields; raises as `by_password`."""
        email = normal_email(email)
        async with self._attempts.at_login(email, source):
            began_at, person = self._clock(), await self.find(email)
            return await self._signed_in(person, login_value, began_at)

    async def by_recovery(self, email: str, recovery_login_value: str, source: str) -> Person:
        """Who the recovery key's login value belongs to; raises as `by_password`."""
        email = normal_email(email)
        async with self._attempts.at_login(email, source):
            person = await self.find(email)
            verifier = person.recovery_verifier if person else None
            if not verify(recovery_login_value, verifier or _NOBODYS_VERIFIER) or person is None:
                raise _wrong()
            return person

    async def end(self, token: str) -> None:
        await self._platform.proofs.end(proof_digest(token))

    async def find(self, email: str) -> Person | None:
        """Whose email it is. Both reads are made for an unknown one too: it is no quicker."""
        person_id = await self._platform.links.find("email", normal_email(email))
        return await self._platform.people.get(person_id or _NOBODY)

    async def _signed_in(
        self, person: Person | None, login_value: str, began_at: datetime
    ) -> SignedIn:
        verifier = person.login_verifier if person else _NOBODYS_VERIFIER
        if not verify(login_value, verifier) or person is None:
            raise _wrong()
        return await self._open(person, began_at)

    async def _open(self, person: Person, began_at: datetime) -> SignedIn:
        """A session counts from before the account was read.

        Its password may be changed between that and now, which ends this session as well.
        """
        token = new_session_token()
        session = Session(
            proof_digest(token),
            began_at,
            began_at + timedelta(seconds=self._rules.session_s),
            person_id=person.person_id,
        )
        await self._platform.proofs.open(session)
        return SignedIn(person, token, self._rules.session_s)

    async def _kdf_of(self, person: Person | None, email: str) -> str:
        secret = await self._platform.secret(_SECRET)
        salt = hmac.digest(secret, normal_email(email).encode(), "sha256")[:_SALT_BYTES]
        return str(KdfParameters(salt=salt)) if person is None else person.kdf


def _wrong() -> Unauthenticated:
    return Unauthenticated("Invalid credentials")
