"""Who is asking, and whose money it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bursar.domain.accounts import limits_of
from bursar.domain.errors import Forbidden, InvalidRequest, NotFound, Unauthenticated
from bursar.domain.keys import VirtualKey, check_format, digest_of
from bursar.domain.users import User
from bursar.services.policy import UserField

if TYPE_CHECKING:
    from bursar.domain.budgets import Budget, Limit
    from bursar.ports import Clock
    from bursar.services.lookup import Lookup
    from bursar.services.master_key import MasterKey
    from bursar.services.policy import Policy


@dataclass(frozen=True, slots=True)
class Caller:
    """A request's origin.

    Attributes:
        key: the virtual key's record; None for the master key.
        user: who pays.
    """

    key: VirtualKey | None
    user: User


class Identity:
    """Turns a presented credential into a caller and the caller into accounts."""

    def __init__(self, lookup: Lookup, master_key: MasterKey, policy: Policy, clock: Clock) -> None:
        self._lookup = lookup
        self._master_key = master_key
        self._policy = policy
        self._clock = clock

    async def authenticate(self, presented: str) -> VirtualKey | None:
        """The record of a virtual key, or None for the master key.

        Raises:
            Unauthenticated: neither, or a key that may not be used (any more).
        """
        if self._master_key.matches(presented):
            return None
        check_format(presented)
        digest = digest_of(presented)
        key = await self._lookup.key_of(digest)
        if key is None:
            raise Unauthenticated("Invalid API key")
        key.check_usable(digest, self._clock())
        return key

    async def caller(self, key: VirtualKey | None, named_user_id: str | None) -> Caller:
        """Decide who pays, given the request's own `user` field.

        Raises:
            InvalidRequest: the master key without a user.
            Forbidden: another user than the key's, or a blocked one.
            NotFound: no such user.
        """
        user_id = self._payer(key, named_user_id)
        user = await self._lookup.user(user_id)
        if user is None or user.deleted_at is not None:
            raise NotFound(f"User '{user_id}' not found")
        if user.blocked:
            raise Forbidden(f"User '{user_id}' is blocked")
        return Caller(key, user)

    def _payer(self, key: VirtualKey | None, named: str | None) -> str:
        if key is None:
            if not named:
                raise InvalidRequest(
                    "When using master key, 'user' field is required in request body", param="user"
                )
            return named
        policy = self._policy.user_field
        if not named or policy is UserField.PASS or named == key.user_id:
            return key.user_id
        if policy is UserField.ANY:
            return named
        raise Forbidden(f"This API key spends for user '{key.user_id}' and not for another 'user'")

    async def limits(self, caller: Caller) -> tuple[Limit, ...]:
        """The accounts that a request of this caller reserves in.

        Raises:
            Forbidden: an assigned budget does not exist, so nothing would limit.
        """
        key, user = caller.key, caller.user
        key_budget = await self._budget(key.budget_id if key else None)
        user_budget = await self._budget(user.budget_id)
        return limits_of(key, user, key_budget, user_budget, self._clock())

    async def _budget(self, budget_id: str | None) -> Budget | None:
        return None if budget_id is None else await self._lookup.budget(budget_id)
