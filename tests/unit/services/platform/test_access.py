from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from bursar.domain.errors import Forbidden, NotFound, Unauthenticated
from bursar.domain.people import Membership, Person, Role
from bursar.domain.projects import Project
from bursar.domain.proofs import Session, new_session_token, proof_digest
from bursar.memory import MemoryPlatform
from bursar.services.platform.access import Access
from tests.fakes.office import START

HOUR = timedelta(hours=1)
ADA = Person("p1", "ada@example.com", START, START, "kdf", "verifier", START)
WEB = Project(
    "web",
    "Web",
    START,
    START,
    encryption_key="new key",
    previous_encryption_key="old key",
    previous_valid_until=START + HOUR,
)


class Entrance:
    """Access to a platform with one person and one project, at a time that can be moved."""

    def __init__(self) -> None:
        self.now = START
        self.platform = MemoryPlatform()
        self.access = Access(self.platform, lambda: self.now)

    async def token(self, **whose: str) -> str:
        token = new_session_token()
        session = Session(proof_digest(token), self.now, self.now + 2 * HOUR, **whose)
        await self.platform.proofs.open(session)
        return token


@pytest.fixture
async def entrance() -> Entrance:
    entrance = Entrance()
    await entrance.platform.people.put(ADA)
    await entrance.platform.projects.put(WEB)
    return entrance


async def test_a_persons_token_is_theirs_until_it_ends(entrance: Entrance) -> None:
    token = await entrance.token(person_id="p1")

    assert await entrance.access.person(token) == ADA
    entrance.now += 2 * HOUR
    with pytest.raises(Unauthenticated):
        await entrance.access.person(token)


async def test_a_persons_token_ends_with_their_password_and_with_their_account(
    entrance: Entrance,
) -> None:
    token = await entrance.token(person_id="p1")
    entrance.now += HOUR
    await entrance.platform.people.change("p1", {"sessions_valid_from": entrance.now})

    with pytest.raises(Unauthenticated):
        await entrance.access.person(token)
    later = await entrance.token(person_id="p1")
    assert (await entrance.access.person(later)).person_id == "p1"
    await entrance.platform.people.remove("p1")
    with pytest.raises(Unauthenticated):
        await entrance.access.person(later)


async def test_people_and_projects_do_not_pass_for_each_other(entrance: Entrance) -> None:
    persons = await entrance.token(person_id="p1")
    projects = await entrance.token(project_id="web", public_key="new key")

    with pytest.raises(Unauthenticated):
        await entrance.access.project_of(persons)
    with pytest.raises(Unauthenticated):
        await entrance.access.person(projects)


@pytest.mark.parametrize("token", ["", "bst-", "bst-x", "gw-x", "\ud800", "bst-\udcff"])
async def test_what_was_never_given_out_is_nobodys(entrance: Entrance, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await entrance.access.person(token)
    with pytest.raises(Unauthenticated):
        await entrance.access.project_of(token)


async def test_a_projects_token_ends_with_the_vaults_key(entrance: Entrance) -> None:
    new = await entrance.token(project_id="web", public_key="new key")
    old = await entrance.token(project_id="web", public_key="old key")
    other = await entrance.token(project_id="web", public_key="another key")

    assert (await entrance.access.project_of(new)).project == WEB
    assert (await entrance.access.project_of(old)).public_key == "old key"
    with pytest.raises(Unauthenticated, match="rotated"):
        await entrance.access.project_of(other)
    entrance.now += HOUR
    assert (await entrance.access.project_of(new)).public_key == "new key"
    with pytest.raises(Unauthenticated, match="rotated"):
        await entrance.access.project_of(old)


async def test_a_projects_token_ends_with_the_project(entrance: Entrance) -> None:
    token = await entrance.token(project_id="web", public_key="new key")
    await entrance.platform.projects.remove("web")

    with pytest.raises(Unauthenticated):
        await entrance.access.project_of(token)


@pytest.mark.parametrize(("role", "needed"), list(product(Role, Role)))
async def test_a_role_may_what_it_includes_and_nothing_else(
    entrance: Entrance, role: Role, needed: Role
) -> None:
    await entrance.platform.memberships("p1").put(Membership("web", "p1", role, START))
    order = [Role.READ_ONLY, Role.MEMBER, Role.OWNER]

    if order.index(role) >= order.index(needed):
        assert await entrance.access.membership(ADA, "web", needed) == WEB
        return
    with pytest.raises(Forbidden, match=str(needed)):
        await entrance.access.membership(ADA, "web", needed)


async def test_being_listed_gives_no_access(entrance: Entrance) -> None:
    await entrance.platform.members("web").put(Membership("web", "p1", Role.OWNER, START))

    with pytest.raises(NotFound):
        await entrance.access.membership(ADA, "web", Role.READ_ONLY)


async def test_a_project_of_others_and_none_are_refused_in_the_same_words(
    entrance: Entrance,
) -> None:
    await entrance.platform.memberships("p1").put(Membership("gone", "p1", Role.OWNER, START))

    refusals = []
    for project_id in ("web", "gone", "never", "x" * 2000):
        with pytest.raises(NotFound) as refused:
            await entrance.access.membership(ADA, project_id, Role.READ_ONLY)
        refusals.append(refused.value.message)

    assert set(refusals) == {"Project not found"}
