"""A project is made and deleted in many writes, and the process may die between any two."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import Conflict, NotFound, StoreUnavailable
from bursar.domain.people import Person, Role
from bursar.domain.projects import project_user_id
from bursar.services.platform.issuing import issue_for_vault
from bursar.services.platform.project_keys import ProjectKeyRequest
from bursar.services.platform.projects import ProjectRequest
from bursar.vault import PrivateKey, seal_v1
from tests.fakes.breaking_platform import BreakingPlatform, Fuse
from tests.fakes.office import START, Office

if TYPE_CHECKING:
    from bursar.domain.projects import Project
    from bursar.ports import Links
    from bursar.services.platform.office import PlatformServices

ADA = Person("ada", "ada@example.com", START, START, "", "", START)
VAULT_KEY = PrivateKey.generate()
PUBLIC_KEY = str(VAULT_KEY.public)
WANTED = ProjectRequest("web", encryption_key=PUBLIC_KEY)


@pytest.fixture
def office() -> Office:
    return Office()


def breaking(office: Office, fuse: Fuse) -> PlatformServices:
    return replace(office.platform, platform=BreakingPlatform(office.platform.platform, fuse))


async def full_project(office: Office) -> Project:
    services = office.platform
    project = await services.projects.create(ADA, WANTED)
    for provider in ("openai", "mistral"):
        sealed = seal_v1("sk-x", VAULT_KEY.public)
        await services.provider_keys.create(project, provider, sealed)
    issued = issue_for_vault(VAULT_KEY, project.project_id)
    await services.project_keys.create(project, ProjectKeyRequest(issued.digest, issued.share))
    await services.clients.create(project, "web")
    return project


async def listed(office: Office) -> list[Project]:
    projects, count = await office.platform.projects.list(ADA, skip=0, limit=100)
    assert count == len(projects)
    return list(projects)


CREATING = 5
"""The project, both sides of the membership, the key's link, and the key in the project."""


async def test_a_project_is_made_in_as_many_writes_as_the_next_test_breaks_it_at(
    office: Office,
) -> None:
    fuse = Fuse()
    await breaking(office, fuse).projects.create(ADA, WANTED)
    assert fuse.passed == CREATING


@pytest.mark.parametrize("writes", range(CREATING))
async def test_a_project_that_was_half_made_hinders_nobody(office: Office, writes: int) -> None:
    with pytest.raises(StoreUnavailable):
        await breaking(office, Fuse(writes)).projects.create(ADA, WANTED)

    for left in await listed(office):
        project = await office.platform.access.membership(ADA, left.project_id, Role.OWNER)
        changed = await office.platform.projects.change(project, {"encryption_key": PUBLIC_KEY})
        assert changed.encryption_key == PUBLIC_KEY
        await office.platform.projects.remove(changed)
    assert await listed(office) == []
    assert (await office.platform.projects.create(ADA, WANTED)).encryption_key == PUBLIC_KEY


class _NothingFound:
    """Links as somebody sees them who looked before the others claimed theirs."""

    def __init__(self, links: Links) -> None:
        self.claim = links.claim
        self.release = links.release

    async def find(self, kind: str, name: str) -> str | None:
        return None


class _LookedTooEarly(BreakingPlatform):
    @property
    def links(self) -> Links:
        return _NothingFound(super().links)


async def test_a_project_whose_key_was_taken_meanwhile_is_not_left_behind(office: Office) -> None:
    first = await office.platform.projects.create(ADA, WANTED)
    platform = _LookedTooEarly(office.platform.platform, Fuse())
    with pytest.raises(Conflict):
        await replace(office.platform, platform=platform).projects.create(ADA, WANTED)
    assert await listed(office) == [first]
    assert await office.platform.platform.links.find("vault", PUBLIC_KEY) == first.project_id


DELETING = 10
"""Two provider keys and their links, a share, a client, the vault's link, the project, and both
sides of a membership."""


async def test_a_project_is_deleted_in_as_many_writes_as_the_next_test_breaks_it_at(
    office: Office,
) -> None:
    fuse = Fuse()
    await breaking(office, fuse).projects.remove(await full_project(office))
    assert fuse.passed == DELETING


@pytest.mark.parametrize("writes", range(DELETING))
async def test_wherever_a_deletion_breaks_its_owner_can_finish_it_or_it_is_done(
    office: Office, writes: int
) -> None:
    project = await full_project(office)
    with pytest.raises(StoreUnavailable):
        await breaking(office, Fuse(writes)).projects.remove(project)
    try:
        again = await office.platform.access.membership(ADA, project.project_id, Role.OWNER)
    except NotFound:
        assert await listed(office) == []
    else:
        await office.platform.projects.remove(again)
    await _check_nothing_is_left(office, project)


async def _check_nothing_is_left(office: Office, project: Project) -> None:
    platform, project_id = office.platform.platform, project.project_id
    assert await platform.projects.get(project_id) is None
    for collection in (
        platform.provider_keys(project_id),
        platform.clients(project_id),
        platform.budgets(project_id),
        platform.shares(project_id),
    ):
        assert not await collection.page(skip=0, limit=10)
    assert await platform.links.find("vault", PUBLIC_KEY) is None
    (key,) = await office.services.directory.keys.page(skip=0, limit=10)
    assert not key.is_active
    user = await office.services.directory.users.get(project_user_id(project_id))
    assert user is not None
    assert user.deleted_at is not None
