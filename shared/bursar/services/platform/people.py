"""Accounts of people: making, changing, recovering and deleting them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bursar.domain.errors import Conflict, InvalidRequest, NotFound, Unauthenticated
from bursar.domain.people import Person
from bursar.services.listing import everything
from bursar.services.platform.sign_in import login_value_of, normal_email
from bursar.vault import InvalidKey, KdfParameters, PublicKey, WeakParameters, verifier_of, verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bursar.ports import Clock, Platform
    from bursar.services.platform.members import Members

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,190}")
_WRAPPED_CHARS_MAX = 200


@dataclass(frozen=True, slots=True)
class DerivedSecrets:
    """What a client derived from a password, which it keeps.

    Attributes:
        kdf: the parameters it used.
        login_value: what it will sign in with.
        wrapped_account_key: the account's private key, wrapped by the other value.
    """

    kdf: str
    login_value: str = field(repr=False)
    wrapped_account_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RecoverySecrets:
    """The same of the recovery key."""

    login_value: str = field(repr=False)
    wrapped_account_key: str = field(repr=False)


class People:
    """The life of accounts."""

    def __init__(self, platform: Platform, members: Members, clock: Clock) -> None:
        self._platform = platform
        self._members = members
        self._clock = clock

    async def create_with_password(self, email: str, password: str) -> Person:
        """Make an account of somebody who signs in with published clients.

        Raises:
            Conflict: the email has one.
            InvalidRequest: no email address.
        """
        kdf = str(KdfParameters.fresh())
        login_value = await login_value_of(password, kdf)
        return await self._add(self._new(email, DerivedSecrets(kdf, login_value)))

    async def create_with_key(
        self, email: str, secrets: DerivedSecrets, public_key: str, recovery: RecoverySecrets
    ) -> Person:
        """Make an account whose password and key never leave its owner's machine.

        Raises:
            Conflict: the email has one.
            InvalidRequest: no email address, no key, or parameters that are too weak.
        """
        person = self._new(email, secrets)
        keyed = replace(person, **_with_key(secrets, public_key, recovery))
        return await self._add(keyed)

    async def all(self) -> Sequence[Person]:
        return [person async for person in everything(self._platform.people)]

    async def get(self, person_id: str) -> Person:
        """Raises NotFound."""
        person = await self._platform.people.get(person_id)
        if person is None:
            raise NotFound("Account not found")
        return person

    async def change_password(self, person: Person, current: str, new: str) -> Person:
        """Change the password of somebody without an account key.

        Raises:
            Unauthenticated: the current one is another.
            Conflict: the account has a key, which only its owner's machine can wrap anew.
        """
        if person.account_public_key is not None:
            raise Conflict(
                "This account's key is wrapped by its password: change it with "
                "'bursar account password', which does not send it"
            )
        _check(person, await login_value_of(current, person.kdf))
        kdf = str(KdfParameters.fresh())
        secrets = DerivedSecrets(kdf, await login_value_of(new, kdf))
        return await self._change(person, self._renewed(secrets))

    async def change_secrets(
        self, person: Person, current_login_value: str, secrets: DerivedSecrets
    ) -> Person:
        """Change what a password yields; every session ends.

        Raises:
            Unauthenticated: the current value is another.
            InvalidRequest: parameters that are too weak.
        """
        _check(person, current_login_value)
        _check_secrets(secrets)
        return await self._change(person, self._renewed(secrets))

    async def add_key(
        self,
        person: Person,
        current_login_value: str,
        secrets: DerivedSecrets,
        public_key: str,
        recovery: RecoverySecrets,
    ) -> Person:
        """Give somebody whom a published client signed up a key of their own.

        Raises:
            Conflict: they have one.
            Unauthenticated: the current value is another.
            InvalidRequest: no key, or parameters that are too weak.
        """
        if person.account_public_key is not None:
            raise Conflict("This account has a key")
        _check(person, current_login_value)
        changes = {**self._renewed(secrets), **_with_key(secrets, public_key, recovery)}
        return await self._change(person, changes)

    async def recover(
        self, person: Person, secrets: DerivedSecrets, recovery: RecoverySecrets
    ) -> Person:
        """Replace what the password and the recovery key yield, for who has shown the latter."""
        _check_secrets(secrets)
        changes = {**self._renewed(secrets), **_recovery(recovery)}
        return await self._change(person, changes)

    async def remove(self, person: Person) -> None:
        """Delete an account, and take it out of its projects.

        Raises:
            Conflict: a project would be left without an owner.
        """
        await self._members.leave_all(person)
        await self._platform.people.remove(person.person_id)
        await self._platform.links.release("email", person.email, person.person_id)

    async def _add(self, person: Person) -> Person:
        """The record first: a claimed email without one could never be used."""
        taken_by = await self._platform.links.find("email", person.email)
        if taken_by is not None:
            raise Conflict("There is an account with this email")
        await self._platform.people.put(person)
        owner = await self._platform.links.claim("email", person.email, person.person_id)
        if owner != person.person_id:
            await self._platform.people.remove(person.person_id)
            raise Conflict("There is an account with this email")
        return person

    def _new(self, email: str, secrets: DerivedSecrets) -> Person:
        address = normal_email(email)
        if not _EMAIL.fullmatch(address):
            raise InvalidRequest("That is no email address", param="email")
        now = self._clock()
        _check_secrets(secrets)
        return Person(
            person_id=str(uuid.uuid4()),
            email=address,
            created_at=now,
            updated_at=now,
            kdf=secrets.kdf,
            login_verifier=verifier_of(secrets.login_value),
            sessions_valid_from=now,
            wrapped_account_key=secrets.wrapped_account_key,
        )

    def _renewed(self, secrets: DerivedSecrets) -> dict[str, Any]:
        now: datetime = self._clock()
        return {
            "kdf": secrets.kdf,
            "login_verifier": verifier_of(secrets.login_value),
            "wrapped_account_key": secrets.wrapped_account_key,
            "sessions_valid_from": now,
            "updated_at": now,
        }

    async def _change(self, person: Person, changes: dict[str, Any]) -> Person:
        changed = await self._platform.people.change(person.person_id, changes)
        if changed is None:
            raise NotFound("Account not found")
        return changed


def _check(person: Person, login_value: str) -> None:
    if not verify(login_value, person.login_verifier):
        raise Unauthenticated("Invalid credentials")


def _check_secrets(secrets: DerivedSecrets) -> None:
    try:
        KdfParameters.parse(secrets.kdf)
    except WeakParameters as error:
        raise InvalidRequest(f"Not usable: {error}", param="kdf") from None
    _check_wrapped(secrets.wrapped_account_key)


def _check_wrapped(text: str | None) -> None:
    if text is not None and len(text) > _WRAPPED_CHARS_MAX:
        raise InvalidRequest("A wrapped key is not that long", param="wrapped_account_key")


def _with_key(
    secrets: DerivedSecrets, public_key: str, recovery: RecoverySecrets
) -> dict[str, Any]:
    _check_secrets(secrets)
    try:
        parsed = PublicKey.parse(public_key)
    except InvalidKey as error:
        raise InvalidRequest(str(error), param="account_public_key") from None
    return {
        "account_public_key": str(parsed),
        "wrapped_account_key": secrets.wrapped_account_key,
        **_recovery(recovery),
    }


def _recovery(recovery: RecoverySecrets) -> dict[str, Any]:
    _check_wrapped(recovery.wrapped_account_key)
    return {
        "recovery_verifier": verifier_of(recovery.login_value),
        "recovery_wrapped_account_key": recovery.wrapped_account_key,
    }
