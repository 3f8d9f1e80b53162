"""Who belongs to which project, and as what.

Two items say so: the project's list, and the person's, by which access is decided. What gives
access is written last and removed first, so nobody has any that a list does not show.
"""

from __future__ import annotations

from dataclasses import replace
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
        # The list alone is what an addition leaves behind that was cut short: finish it.
        if await self._platform.memberships(person.person_id).get(project_id):
            raise Conflict("They belong to this project")
        return await self._put(Membership(project_id, person.person_id, role, self._clock()))

    async def change(self, project_id: str, person_id: str, role: Role) -> Membership:
        """Give a member another role.

        Raises:
            NotFound: no member.
            Conflict: the only owner would be none any more.
        """
        current = await self._member(project_id, person_id)
        changed = replace(current, role=role)
        if role.includes(current.role):
            return await self._put(changed)
        await self._lower(current, changed)
        await self._platform.members(project_id).put(changed)
        return changed

    async def remove(self, project_id: str, person_id: str) -> None:
        """Take somebody out of a project, and their share of its vault away.

        They may have kept the vault's key: rotating it is what locks them out.

        Raises:
            NotFound: no member.
            Conflict: the only owner.
        """
        await self._remove(await self._member(project_id, person_id))

    async def leave_all(self, person: Person) -> None:
        """Take somebody out of every project.

        Raises:
            Conflict: one of them would be left without an owner.
        """
        mine = [each async for each in everything(self._platform.memberships(person.person_id))]
        for membership in mine:
            await self._check_owned_without(membership)
        for membership in mine:
            await self._remove(membership)

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

    async def _remove(self, current: Membership) -> None:
        await self._lower(current, None)
        await self._platform.shares(current.project_id).remove(person_holder(current.person_id))
        await self._platform.members(current.project_id).remove(current.person_id)

    async def _lower(self, current: Membership, lowered: Membership | None) -> None:
        """Take a role away where access is decided.

        Looked at again afterwards: of two owners who leave at once, each saw the other before.
        """
        await self._check_owned_without(current)
        access = self._platform.memberships(current.person_id)
        if lowered is None:
            await access.remove(current.project_id)
        else:
            await access.put(lowered)
        try:
            await self._check_owned_without(current)
        except Conflict:
            await access.put(current)
            raise

    async def _member(self, project_id: str, person_id: str) -> Membership:
        membership = await self._platform.members(project_id).get(person_id)
        if membership is None:
            raise NotFound("Member not found")
        return membership

    async def _check_owned_without(self, leaving: Membership) -> None:
        """Raises Conflict if it is the only owner who leaves a project that is not deleted."""
        if leaving.role is not Role.OWNER:
            return
        if await self._platform.projects.get(leaving.project_id) is None:
            return
        async for each in everything(self._platform.members(leaving.project_id)):
            if each.person_id != leaving.person_id and await self._is_owner(each):
                return
        raise Conflict(_LAST_OWNER)

    async def _is_owner(self, listed: Membership) -> bool:
        """Tell whether somebody can act as the owner that the list says they are."""
        if listed.role is not Role.OWNER:
            return False
        access = await self._platform.memberships(listed.person_id).get(listed.project_id)
        person = await self._platform.people.get(listed.person_id)
        return access is not None and access.role is Role.OWNER and person is not None
