"""Signing in with a password, or with what a password yields.

A client of Bursar's own sends the login value that it derived. The published clients send the
password; the login value is derived here and nothing else is kept.
"""

from __future__ import annotations

import asyncio
import hmac
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bursar.domain.errors import Unauthenticated
from bursar.domain.people import Person
from bursar.domain.proofs import Session, new_session_token, proof_digest
from bursar.vault import InvalidInput, KdfParameters, derive, verify

if TYPE_CHECKING:
    from bursar.ports import Clock, Platform
    from bursar.services.platform.attempts import Attempts
    from bursar.services.platform.rules import PlatformRules

# Each takes 64 MiB and a tenth of a second; more at once would exhaust a small function.
_DERIVATIONS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2id")
_SALT_BYTES = 16
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
            person = await self.find(email)
            kdf = await self._kdf_of(person, email)
            login_value = await login_value_of(password, kdf)
            return await self._signed_in(person, login_value)

    async def by_login_value(self, email: str, login_value: str, source: str) -> SignedIn:
        """Sign in with what the password yields; raises as `by_password`."""
        email = normal_email(email)
        async with self._attempts.at_login(email, source):
            return await self._signed_in(await self.find(email), login_value)

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
        person_id = await self._platform.links.find("email", normal_email(email))
        return None if person_id is None else await self._platform.people.get(person_id)

    async def _signed_in(self, person: Person | None, login_value: str) -> SignedIn:
        verifier = person.login_verifier if person else _NOBODYS_VERIFIER
        if not verify(login_value, verifier) or person is None:
            raise _wrong()
        return await self._open(person)

    async def _open(self, person: Person) -> SignedIn:
        now, token = self._clock(), new_session_token()
        session = Session(
            proof_digest(token),
            now,
            now + timedelta(seconds=self._rules.session_s),
            person_id=person.person_id,
        )
        await self._platform.proofs.open(session)
        return SignedIn(person, token, self._rules.session_s)

    async def _kdf_of(self, person: Person | None, email: str) -> str:
        if person is not None:
            return person.kdf
        secret = await self._platform.secret(_SECRET)
        salt = hmac.digest(secret, normal_email(email).encode(), "sha256")[:_SALT_BYTES]
        return str(KdfParameters(salt=salt))


async def login_value_of(password: str, kdf: str) -> str:
    """Derive a login value without stopping everything else meanwhile.

    Raises:
        Unauthenticated: text that no password can be.
    """
    loop = asyncio.get_running_loop()
    parameters = KdfParameters.parse(kdf)
    try:
        keys = await loop.run_in_executor(_DERIVATIONS, derive, password, parameters)
    except InvalidInput:
        raise _wrong() from None
    return keys.login_value


def normal_email(text: str) -> str:
    """An address as it is compared: without blanks around it, in lower case."""
    return text.strip().casefold()


def _wrong() -> Unauthenticated:
    return Unauthenticated("Invalid credentials")
