"""A provider has one active key in a project, whoever else makes one meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import Conflict, NotFound
from bursar.domain.people import Person, Role
from bursar.domain.projects import ProviderKey
from bursar.services.platform.projects import ProjectRequest
from bursar.vault import PrivateKey, seal_v1
from tests.fakes.breaking_platform import BreakingPlatform, Fuse
from tests.fakes.meanwhile import Meanwhile
from tests.fakes.office import START, Office

if TYPE_CHECKING:
    from bursar.domain.projects import Project
    from bursar.ports import Collection
    from bursar.services.platform.office import PlatformServices

ADA = Person("ada", "ada@example.com", START, START, "", "", START)
SEALED = seal_v1("sk-x", PrivateKey.generate().public)


class _WithRival(BreakingPlatform):
    """One kind of collection for all projects, in which a rival writes."""

    rivalled: Collection[ProviderKey]

    def provider_keys(self, project_id: str) -> Collection[ProviderKey]:
        return self.rivalled


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def project(office: Office) -> Project:
    return await office.platform.projects.create(ADA, ProjectRequest("web"))


def with_rival(office: Office, project: Project) -> PlatformServices:
    """Services that find their way crossed by somebody's key of OpenAI's."""
    kept = office.platform.platform
    rival = ProviderKey("rival", project.project_id, "openai", SEALED, START)
    platform = _WithRival(kept, Fuse())
    platform.rivalled = Meanwhile(kept.provider_keys(project.project_id), rival)
    return replace(office.platform, platform=platform)


async def active(office: Office, project: Project) -> list[str]:
    keys = await office.platform.provider_keys.list(project, include_archived=False)
    return [key.provider_key_id for key in keys]


async def test_a_key_that_came_second_is_not_kept(office: Office, project: Project) -> None:
    services = with_rival(office, project)
    with pytest.raises(Conflict):
        await services.provider_keys.create(project, "openai", SEALED)
    assert await active(office, project) == ["rival"]


async def test_a_key_of_another_provider_is_no_rival(office: Office, project: Project) -> None:
    services = with_rival(office, project)
    made = await services.provider_keys.create(project, "mistral", SEALED)
    assert set(await active(office, project)) == {"rival", made.provider_key_id}


async def test_a_key_that_is_restored_second_stays_archived(
    office: Office, project: Project
) -> None:
    key = await office.platform.provider_keys.create(project, "openai", SEALED)
    archived = await office.platform.provider_keys.archive(key)
    with pytest.raises(Conflict):
        await with_rival(office, project).provider_keys.unarchive(project, archived)
    assert await active(office, project) == ["rival"]
    everything = await office.platform.provider_keys.list(project, include_archived=True)
    (again,) = [each for each in everything if each.provider_key_id == key.provider_key_id]
    assert again.archived_at == archived.archived_at


async def test_a_key_whose_record_was_never_written_is_not_found(
    office: Office, project: Project
) -> None:
    """Its link is written first, so a crash leaves one that leads nowhere."""
    key = await office.platform.provider_keys.create(project, "openai", SEALED)
    kept = office.platform.platform.provider_keys(project.project_id)
    await kept.remove(key.provider_key_id)
    with pytest.raises(NotFound, match=r"^Provider key not found$"):
        await office.platform.provider_keys.reached(ADA, key.provider_key_id, Role.MEMBER)
