"""Who belongs to which project, and as what.

Two items say so: the project's list, and the person's, by which access is decided. What gives
access is written last and removed first, so nobody has any that a list does not show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bursar.domain.errors import Conflict, NotFound
from bursar.domain.people import Membership, Role
from bursar.domain.projects import person_holder
from bursar.services.listing import everything

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.domain.people import Person
    from bursar.ports import Clock, Platform

_LAST_OWNER = "A project has at least one owner: make somebody else one first"


class Members:
    """The people of projects."""

    def __init__(self, platform: Platform, clock: Clock) -> None:
        self._platform = platform
        self._clock = clock

    async def found(self, project_id: str, person: Person) -> Membership:
        """Make whoever creates a project its owner."""
        return await self._put(Membership(project_id, person.person_id, Role.OWNER, self._clock()))

    async def list(self, project_id: str) -> Sequence[tuple[Membership, Person]]:
        found = []
        async for membership in everything(self._platform.members(project_id)):
            person = await self._platform.people.get(membership.person_id)
            if person is not None:
                found.append((membership, person))
        return found

    async def add(self, project_id: str, person: Person | None, role: Role) -> Membership:
        """Let somebody with an account belong to a project.

        Raises:
            NotFound: nobody has that email.
            Conflict: they belong to it.
        """
        if person is None:
            raise NotFound("There is no account with this email")
        if await self._platform.members(project_id).get(person.person_id):
            raise Conflict("They belong to this project")
        return await self._put(Membership(project_id, person.person_id, role, self._clock()))

    async def change(self, project_id: str, person_id: str, role: Role) -> Membership:
        """Give a member another role.

        Raises:
            NotFound: no member.
            Conflict: the only owner would be none any more.
        """
        current = await self._member(project_id, person_id)
        if role is not Role.OWNER:
            await self._check_not_the_last_owner(current)
        return await self._put(Membership(project_id, person_id, role, current.created_at))

    async def remove(self, project_id: str, person_id: str) -> None:
        """Take somebody out of a project, and their share of its vault away.

        They may have kept the vault's key: rotating it is what locks them out.

        Raises:
            NotFound: no member.
            Conflict: the only owner.
        """
        await self._check_not_the_last_owner(await self._member(project_id, person_id))
        await self._remove(project_id, person_id)

    async def leave_all(self, person: Person) -> None:
        """Take somebody out of every project.

        Raises:
            Conflict: one of them would be left without an owner; nothing has changed.
        """
        mine = [each async for each in everything(self._platform.memberships(person.person_id))]
        for membership in mine:
            await self._check_not_the_last_owner(membership)
        for membership in mine:
            await self._remove(membership.project_id, person.person_id)

    async def dissolve(self, project_id: str) -> None:
        """Take everybody out of a project that is being deleted."""
        async for membership in everything(self._platform.members(project_id)):
            await self._platform.memberships(membership.person_id).remove(project_id)
        while page := await self._platform.members(project_id).page(skip=0, limit=100):
            for membership in page:
                await self._platform.members(project_id).remove(membership.person_id)

    async def _put(self, membership: Membership) -> Membership:
        await self._platform.members(membership.project_id).put(membership)
        await self._platform.memberships(membership.person_id).put(membership)
        return membership

    async def _remove(self, project_id: str, person_id: str) -> None:
        await self._platform.memberships(person_id).remove(project_id)
        await self._platform.shares(project_id).remove(person_holder(person_id))
        await self._platform.members(project_id).remove(person_id)

    async def _member(self, project_id: str, person_id: str) -> Membership:
        membership = await self._platform.members(project_id).get(person_id)
        if membership is None:
            raise NotFound("Member not found")
        return membership

    async def _check_not_the_last_owner(self, membership: Membership) -> None:
        if membership.role is not Role.OWNER:
            return
        owners = [
            each
            async for each in everything(self._platform.members(membership.project_id))
            if each.role is Role.OWNER
        ]
        if [each.person_id for each in owners] == [membership.person_id]:
            raise Conflict(_LAST_OWNER)
