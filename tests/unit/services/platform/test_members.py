from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import Conflict, NotFound, StoreUnavailable
from bursar.domain.people import Membership, Person, Role
from bursar.domain.projects import Project, VaultShare, person_holder
from bursar.memory import MemoryPlatform
from bursar.services.platform.members import Members
from tests.fakes.breaking_platform import BreakingPlatform, Fuse
from tests.fakes.office import START

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bursar.ports import Platform

OWNER, MEMBER, READ_ONLY = Role.OWNER, Role.MEMBER, Role.READ_ONLY


def person(name: str) -> Person:
    return Person(name, f"{name}@example.com", START, START, "kdf", "verifier", START)


ADA, GRACE = person("ada"), person("grace")


def members_of(platform: Platform) -> Members:
    return Members(platform, lambda: START)


async def founded(*roles: Role) -> MemoryPlatform:
    """A project of Ada's, to which Grace belongs if a role is given."""
    platform = MemoryPlatform()
    await platform.projects.put(Project("web", "Web", START, START))
    for each in (ADA, GRACE):
        await platform.people.put(each)
        holder = person_holder(each.person_id)
        await platform.shares("web").put(VaultShare(holder, "web", "k", "s", "v", START, START))
    members = members_of(platform)
    await members.found("web", ADA)
    for role in roles:
        await members.add("web", GRACE, role)
    return platform


async def listed(platform: Platform) -> dict[str, Role]:
    return {each.email[:-12]: it.role for it, each in await members_of(platform).list("web")}


async def access(platform: Platform, who: Person) -> Role | None:
    membership = await platform.memberships(who.person_id).get("web")
    return membership.role if membership else None


async def remove(members: Members) -> None:
    await members.remove("web", "grace")


def add(role: Role) -> Callable[[Members], Awaitable[object]]:
    return lambda members: members.add("web", GRACE, role)


def change(role: Role) -> Callable[[Members], Awaitable[object]]:
    return lambda members: members.change("web", "grace", role)


CHANGES = [
    ((), add(READ_ONLY), READ_ONLY),
    ((), add(OWNER), OWNER),
    ((READ_ONLY,), change(OWNER), OWNER),
    ((MEMBER,), change(MEMBER), MEMBER),
    ((OWNER,), change(MEMBER), MEMBER),
    ((OWNER,), change(READ_ONLY), READ_ONLY),
    ((MEMBER,), remove, None),
    ((OWNER,), remove, None),
]


@pytest.mark.parametrize(("before", "carry_out", "after"), CHANGES)
async def test_nobody_ever_has_access_that_the_list_does_not_show(
    before: tuple[Role, ...],
    carry_out: Callable[[Members], Awaitable[object]],
    after: Role | None,
) -> None:
    """Cut short at each write in turn, and then done again."""
    for writes in range(10):
        platform = await founded(*before)
        breaking = BreakingPlatform(platform, Fuse(writes))
        try:
            await carry_out(members_of(breaking))
        except StoreUnavailable:
            given, shown = await access(platform, GRACE), (await listed(platform)).get("grace")
            assert given is None or (shown is not None and shown.includes(given))
            if given is not None or shown is not None or after is not None:
                await carry_out(members_of(platform))
        else:
            assert writes > 0
            break
        finally:
            assert await access(platform, ADA) == OWNER

    assert await access(platform, GRACE) == after
    assert (await listed(platform)).get("grace") == after


@pytest.mark.parametrize("before", [(), (MEMBER,), (READ_ONLY,)])
async def test_the_only_owner_stays_one_and_keeps_the_vault(before: tuple[Role, ...]) -> None:
    platform = await founded(*before)
    members = members_of(platform)

    with pytest.raises(Conflict):
        await members.remove("web", "ada")
    with pytest.raises(Conflict):
        await members.change("web", "ada", MEMBER)
    with pytest.raises(Conflict):
        await members.leave_all(ADA)

    assert await access(platform, ADA) == (await listed(platform))["ada"] == OWNER
    assert await platform.shares("web").get(person_holder("ada"))


async def test_an_owner_by_the_list_alone_is_none() -> None:
    """Neither somebody whose access is gone, nor somebody whose account is."""
    platform = await founded(OWNER)
    members = members_of(platform)
    await platform.memberships("grace").remove("web")
    with pytest.raises(Conflict):
        await members.remove("web", "ada")

    await platform.memberships("grace").put(Membership("web", "grace", OWNER, START))
    await platform.people.remove("grace")
    with pytest.raises(Conflict):
        await members.remove("web", "ada")


async def test_who_leaves_loses_the_share_and_nobody_elses_is_touched() -> None:
    platform = await founded(OWNER)

    await members_of(platform).remove("web", "grace")

    shares = await platform.shares("web").page(skip=0, limit=10)
    assert [share.holder_id for share in shares] == [person_holder("ada")]


async def test_a_deleted_project_holds_nobody() -> None:
    platform = await founded()
    await platform.projects.remove("web")

    await members_of(platform).leave_all(ADA)

    assert await access(platform, ADA) is None


async def test_a_project_that_is_dissolved_has_no_members() -> None:
    platform = await founded(OWNER)
    for number in range(120):
        each = person(f"p{number}")
        await platform.people.put(each)
        await members_of(platform).add("web", each, READ_ONLY)

    await members_of(platform).dissolve("web")

    assert await listed(platform) == {}
    assert await access(platform, ADA) is None
    assert await access(platform, person("p119")) is None


async def test_who_is_no_member_is_neither_changed_nor_removed() -> None:
    members = members_of(await founded())

    with pytest.raises(NotFound):
        await members.change("web", "grace", OWNER)
    with pytest.raises(NotFound):
        await members.remove("web", "grace")
    with pytest.raises(NotFound):
        await members.add("web", None, OWNER)
