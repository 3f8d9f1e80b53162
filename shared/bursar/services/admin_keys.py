"""Virtual keys: issuing, changing, rotating and revoking them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bursar.domain.accounts import key_account
from bursar.domain.errors import Conflict, NotFound, Unprocessable
from bursar.domain.keys import FOREIGN_KEYS, VirtualKey, digest_of, new_virtual_key
from bursar.domain.money import ZERO
from bursar.domain.users import User
from bursar.services.allow_lists import check_allow_list
from bursar.services.assigned_budgets import budget_of, check_start, existing_budget
from bursar.services.key_standings import key_standings
from bursar.services.listing import everything
from bursar.services.spending import begin, carry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.domain.budgets import AccountKey
    from bursar.ports import Clock, Directory, Ledger
    from bursar.services.key_standings import KeyStanding

_ROTATED_IN_PROJECT = (
    "This key opens a project's vault, and only its administrator's machine can make another that "
    "does: 'bursar vault rotate-key', or POST /api/v1/projects/{project}/keys/{key}/rotate"
)


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What an administrator says about a new key; the fields are those of `VirtualKey`.

    Attributes:
        user_id: who it spends for; None makes a user of the key's own.
        budget_started_at: when the budget was assigned elsewhere; None stands for now.
        spend_usd: spent elsewhere in the current period of the key's own budget.
    """

    key_name: str | None = None
    user_id: str | None = None
    expires_at: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    allowed_models: tuple[str, ...] | None = None
    budget_id: str | None = None
    rate_limit_rpm: int | None = None
    rate_limit_tpm: int | None = None
    is_active: bool = True
    budget_started_at: datetime | None = None
    spend_usd: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A key that another gateway issued and made known by its digest.

    Attributes:
        key_id: None has one made.
        digest: SHA-256 of the whole key, in hex.
        has_other_format: it is not `gw-` and what follows.
    """

    digest: str
    key_id: str | None = None
    has_other_format: bool = False


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key's record, and the key itself for the only time."""

    record: VirtualKey
    virtual_key: str = field(repr=False)


class KeyAdministration:
    """The life of virtual keys. A crash between two writes leaves no key that works unlisted."""

    def __init__(self, directory: Directory, ledger: Ledger, clock: Clock) -> None:
        self._directory = directory
        self._ledger = ledger
        self._clock = clock

    async def create(self, wanted: KeyRequest) -> IssuedKey:
        """Issue a key, and make its user if need be.

        Raises:
            NotFound: the user has been deleted, or there is no such budget.
            Unprocessable: an allowed model is none, a period begins without a budget or later, or
                something is spent without a budget of the key's own.
        """
        key_id, virtual_key = str(uuid.uuid4()), new_virtual_key()
        record = await self._prepared(wanted, key_id, digest_of(virtual_key))
        # A record without its link is listed and useless; the other way round nobody would see it.
        await self._directory.keys.put(record)
        await self._directory.link_digest(record.digest, key_id)
        return IssuedKey(record, virtual_key)

    async def take_over(self, wanted: KeyRequest, foreign: ForeignKey) -> VirtualKey:
        """Accept a key that another gateway issued, and make its user if need be.

        Raises:
            Conflict: its id is in use, or the key is there already.
            NotFound, Unprocessable: as `create`.
        """
        key_id = foreign.key_id or str(uuid.uuid4())
        await self._check_unknown(key_id, foreign.digest)
        record = await self._prepared(wanted, key_id, foreign.digest)
        if foreign.has_other_format:
            await self._directory.link_digest(FOREIGN_KEYS, key_id)
        # Links open nothing without a record; after a crash, the same request makes it.
        await self._directory.link_digest(record.digest, key_id)
        if not await self._directory.keys.add(record):
            await self._unlink_unless_of(key_id, record.digest)
            raise _taken(key_id)
        return record

    async def page(self, *, skip: int, limit: int) -> Sequence[VirtualKey]:
        return await self._directory.keys.page(skip=skip, limit=limit)

    async def get(self, key_id: str) -> VirtualKey:
        """Raises NotFound."""
        record = await self._directory.keys.get(key_id)
        if record is None:
            raise _no_such_key(key_id)
        return record

    async def standings(self, keys: Sequence[VirtualKey]) -> Sequence[KeyStanding]:
        """How keys with a budget of their own stand."""
        return await key_standings(self._directory, self._ledger, keys, self._clock())

    async def change(self, key_id: str, changes: Mapping[str, Any]) -> VirtualKey:
        """Set the named fields; None clears one.

        Another budget starts a period of its own, into which what the key has spent is carried.

        Raises:
            NotFound: no such key, or no such budget.
            Unprocessable: an allowed model is none.
        """
        current = await self.get(key_id)
        await check_allow_list(self._directory.aliases, changes.get("allowed_models"))
        everything_changed = dict(changes)
        if "budget_id" in changes:
            everything_changed |= await self._assign(current, changes["budget_id"])
        changed = await self._directory.keys.change(key_id, everything_changed)
        if changed is None:
            raise _no_such_key(key_id)
        return changed

    async def rotate(self, key_id: str, *, grace_s: int) -> IssuedKey:
        """Replace a key by a new one with the same record; the old one works `grace_s` longer.

        Raises:
            NotFound: no such key.
            Conflict: it opens a project's vault, which only a share for the new key's text does.
        """
        current, virtual_key = await self.get(key_id), new_virtual_key()
        if current.project_id is not None:
            raise Conflict(_ROTATED_IN_PROJECT)
        digest = digest_of(virtual_key)
        # The link opens nothing until the record vouches for the digest, which one write changes.
        await self._directory.link_digest(digest, key_id)
        changed = await self._directory.keys.change(
            key_id, {"digest": digest, **self._grace(current, grace_s)}
        )
        if changed is None:
            await self._directory.unlink_digest(digest)
            raise _no_such_key(key_id)
        await self._unlink({current.digest, current.previous_digest} - _digests_of(changed))
        return IssuedKey(changed, virtual_key)

    async def remove(self, key_id: str) -> None:
        """Revoke a key for good. Its usage records stay, under its id.

        Raises:
            NotFound: no such key.
        """
        record = await self.get(key_id)
        if not await self._directory.keys.remove(key_id):
            raise _no_such_key(key_id)
        await self._unlink(_digests_of(record))

    async def deactivate_all_of(self, user_id: str) -> None:
        """Make every key of a user useless, and keep it listed."""
        async for record in everything(self._directory.keys):
            if record.user_id == user_id and record.is_active:
                await self._directory.keys.change(record.key_id, {"is_active": False})

    async def _prepared(self, wanted: KeyRequest, key_id: str, digest: str) -> VirtualKey:
        """A new key's record, not stored yet; its user and its account are there."""
        await check_allow_list(self._directory.aliases, wanted.allowed_models)
        now, budget = self._clock(), None
        if wanted.budget_id is not None:
            budget = await existing_budget(self._directory, wanted.budget_id)
        check_start(wanted.budget_started_at, budget, now)
        user_id = await self._user_for(wanted, key_id, now)
        record = _new_key(wanted, key_id, user_id, digest, now)
        await self._begin_with(wanted.spend_usd, key_account(record, budget, now), now)
        return record

    async def _check_unknown(self, key_id: str, digest: str) -> None:
        if await self._directory.keys.get(key_id) is not None:
            raise _taken(key_id)
        holder_id = await self._directory.key_id_of(digest)
        if holder_id is not None and await self._directory.keys.get(holder_id) is not None:
            raise Conflict(f"This key is there already, as the API key with id '{holder_id}'")

    async def _begin_with(
        self, spend_usd: Decimal, account: AccountKey | None, now: datetime
    ) -> None:
        if spend_usd == ZERO:
            return
        if account is None:
            raise Unprocessable(
                "Only a key with a budget of its own has spent something; its user has otherwise",
                param="spend",
            )
        await begin(self._ledger, account, spend_usd, now)

    async def _unlink_unless_of(self, key_id: str, digest: str) -> None:
        kept = await self._directory.keys.get(key_id)
        if kept is None or kept.digest != digest:
            await self._directory.unlink_digest(digest)

    async def _user_for(self, wanted: KeyRequest, key_id: str, now: datetime) -> str:
        if wanted.user_id is None:
            name = wanted.key_name or "unnamed"
            user = _new_user(f"apikey-{key_id}", f"Virtual user for API key: {name}", now)
        else:
            user = _new_user(wanted.user_id, f"User {wanted.user_id}", now)
        if not await self._directory.users.add(user):
            await self._check_not_deleted(user.user_id)
        return user.user_id

    async def _check_not_deleted(self, user_id: str) -> None:
        user = await self._directory.users.get(user_id)
        if user is not None and user.deleted_at is not None:
            raise NotFound(f"User '{user_id}' has been deleted. Recreate via POST /v1/users first.")

    async def _assign(self, current: VirtualKey, budget_id: str | None) -> dict[str, Any]:
        now = self._clock()
        old = await budget_of(self._directory, current.budget_id)
        new = None if budget_id is None else await existing_budget(self._directory, budget_id)
        started_at = None if new is None else now
        changed = replace(current, budget_id=budget_id, budget_started_at=started_at)
        await carry(
            self._ledger,
            key_account(current, old, now),
            key_account(changed, new, now),
            now,
        )
        return {"budget_started_at": started_at}

    def _grace(self, current: VirtualKey, grace_s: int) -> dict[str, Any]:
        if grace_s == 0:
            return {"previous_digest": None, "previous_valid_until": None}
        valid_until = self._clock() + timedelta(seconds=grace_s)
        return {"previous_digest": current.digest, "previous_valid_until": valid_until}

    async def _unlink(self, digests: set[str | None]) -> None:
        for digest in digests:
            if digest is not None:
                await self._directory.unlink_digest(digest)


def _digests_of(record: VirtualKey) -> set[str | None]:
    return {record.digest, record.previous_digest}


def _new_key(
    wanted: KeyRequest, key_id: str, user_id: str, digest: str, now: datetime
) -> VirtualKey:
    return VirtualKey(
        key_id=key_id,
        user_id=user_id,
        digest=digest,
        created_at=now,
        key_name=wanted.key_name,
        expires_at=wanted.expires_at,
        is_active=wanted.is_active,
        metadata=wanted.metadata,
        allowed_models=wanted.allowed_models,
        budget_id=wanted.budget_id,
        budget_started_at=None if wanted.budget_id is None else wanted.budget_started_at or now,
        rate_limit_rpm=wanted.rate_limit_rpm,
        rate_limit_tpm=wanted.rate_limit_tpm,
    )


def _new_user(user_id: str, alias: str, now: datetime) -> User:
    return User(user_id, created_at=now, updated_at=now, accounting_since=now, alias=alias)


def _taken(key_id: str) -> Conflict:
    return Conflict(f"API key with id '{key_id}' already exists")


def _no_such_key(key_id: str) -> NotFound:
    return NotFound(f"API key with id '{key_id}' not found")
