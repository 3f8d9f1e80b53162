"""A project's virtual key is entered in several writes, none of which leaves a useless one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from bursar.domain.errors import Conflict, StoreUnavailable
from bursar.domain.people import Person
from bursar.domain.projects import Project, key_holder
from bursar.services.platform.issuing import issue_for_vault
from bursar.services.platform.project_keys import ProjectKeyRequest
from bursar.services.platform.projects import ProjectRequest
from bursar.vault import PrivateKey
from tests.fakes.breaking_platform import BreakingPlatform, Fuse
from tests.fakes.office import START, Office

ADA = Person("ada", "ada@example.com", START, START, "", "", START)
VAULT_KEY = PrivateKey.generate()


@dataclass
class Rig:
    office: Office
    project: Project

    def request(self) -> ProjectKeyRequest:
        issued = issue_for_vault(VAULT_KEY, self.project.project_id)
        return ProjectKeyRequest(issued.digest, issued.share)

    async def has_share(self, digest: str) -> bool:
        shares = self.office.platform.platform.shares(self.project.project_id)
        return await shares.get(key_holder(digest)) is not None

    async def rotate_the_vault(self) -> None:
        """While somebody holds what they read of the project before."""
        changes = {"encryption_key": str(PrivateKey.generate().public)}
        await self.office.platform.platform.projects.change(self.project.project_id, changes)


@pytest.fixture
async def rig() -> Rig:
    office = Office()
    wanted = ProjectRequest("web", encryption_key=str(VAULT_KEY.public))
    return Rig(office, await office.platform.projects.create(ADA, wanted))


async def test_without_its_share_no_key_is_entered(rig: Rig) -> None:
    platform = BreakingPlatform(rig.office.platform.platform, Fuse(0))
    services = replace(rig.office.platform, platform=platform)
    wanted = rig.request()
    with pytest.raises(StoreUnavailable):
        await services.project_keys.create(rig.project, wanted)
    assert await rig.office.platform.project_keys.list(rig.project) == []
    assert await rig.office.services.directory.key_id_of(wanted.digest) is None


async def test_a_key_that_shares_what_the_vault_has_no_more_is_not_entered(rig: Rig) -> None:
    wanted = rig.request()
    await rig.rotate_the_vault()
    with pytest.raises(Conflict, match="rotated meanwhile"):
        await rig.office.platform.project_keys.create(rig.project, wanted)
    assert await rig.office.platform.project_keys.list(rig.project) == []
    assert await rig.office.services.directory.key_id_of(wanted.digest) is None
    assert not await rig.has_share(wanted.digest)


async def test_a_key_goes_on_by_its_text_when_its_next_one_came_too_late(rig: Rig) -> None:
    keys = rig.office.platform.project_keys
    first, second = rig.request(), rig.request()
    record = await keys.create(rig.project, first)
    await rig.rotate_the_vault()
    with pytest.raises(Conflict, match="rotated meanwhile"):
        await keys.rotate(rig.project, record, second.digest, second.share, grace_s=60)
    assert await keys.get(rig.project, record.key_id) == record
    assert await rig.has_share(first.digest)
    assert not await rig.has_share(second.digest)
    assert await rig.office.services.directory.key_id_of(second.digest) is None
