"""Accounts of people: making, changing, recovering and deleting them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bursar.domain.errors import Conflict, InvalidRequest, NotFound, Unauthenticated
from bursar.domain.people import Person
from bursar.services.listing import everything
from bursar.services.platform.emails import checked_email
from bursar.services.platform.passwords import check_parameters, login_value_of
from bursar.vault import InvalidKey, KdfParameters, PublicKey, verifier_of, verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bursar.ports import Clock, Platform
    from bursar.services.platform.members import Members

_TAKEN = "There is an account with this email"


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
        address, kdf = checked_email(email), str(KdfParameters.fresh())
        secrets = DerivedSecrets(kdf, await login_value_of(password, kdf))
        return await self._add(self._new(address, secrets))

    async def create_with_key(
        self, email: str, secrets: DerivedSecrets, public_key: str, recovery: RecoverySecrets
    ) -> Person:
        """Make an account whose password and key never leave its owner's machine.

        Raises:
            Conflict: the email has one.
            InvalidRequest: no email address, no key, or parameters that cannot be used.
        """
        person = self._new(checked_email(email), secrets)
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
        """Change what the password of somebody with an account key yields; every session ends.

        Raises:
            Unauthenticated: the current value is another.
            Conflict: the account has no key that could be wrapped anew.
            InvalidRequest: parameters that cannot be used.
        """
        if person.account_public_key is None:
            raise Conflict("This account has no key: give it one at /api/v1/accounts/me/key")
        _check(person, current_login_value)
        check_parameters(secrets.kdf)
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
            InvalidRequest: no key, or parameters that cannot be used.
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
        check_parameters(secrets.kdf)
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
        """The record first: an email that leads to none is free, its account was deleted."""
        await self._free(person.email)
        await self._platform.people.put(person)
        owner = await self._platform.links.claim("email", person.email, person.person_id)
        if owner != person.person_id:
            await self._platform.people.remove(person.person_id)
            raise Conflict(_TAKEN)
        return person

    async def _free(self, email: str) -> None:
        """Let go of an email that a deletion, cut short, has left behind."""
        taken_by = await self._platform.links.find("email", email)
        if taken_by is None:
            return
        if await self._platform.people.get(taken_by) is not None:
            raise Conflict(_TAKEN)
        await self._platform.links.release("email", email, taken_by)

    def _new(self, email: str, secrets: DerivedSecrets) -> Person:
        check_parameters(secrets.kdf)
        now = self._clock()
        return Person(
            person_id=str(uuid.uuid4()),
            email=email,
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


def _with_key(
    secrets: DerivedSecrets, public_key: str, recovery: RecoverySecrets
) -> dict[str, Any]:
    check_parameters(secrets.kdf)
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
    return {
        "recovery_verifier": verifier_of(recovery.login_value),
        "recovery_wrapped_account_key": recovery.wrapped_account_key,
    }
