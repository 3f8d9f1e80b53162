"""A client's name is its own in a project, whoever else takes it meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import Conflict
from bursar.domain.people import Person
from bursar.domain.projects import Client
from bursar.services.platform.projects import ProjectRequest
from tests.fakes.breaking_platform import BreakingPlatform, Fuse
from tests.fakes.meanwhile import Meanwhile
from tests.fakes.office import START, Office

if TYPE_CHECKING:
    from bursar.ports import Collection

ADA = Person("ada", "ada@example.com", START, START, "", "", START)


class _WithRival(BreakingPlatform):
    rivalled: Collection[Client]

    def clients(self, project_id: str) -> Collection[Client]:
        return self.rivalled


async def test_a_client_that_came_second_is_not_kept() -> None:
    office = Office()
    project = await office.platform.projects.create(ADA, ProjectRequest("web"))
    kept = office.platform.platform
    rival = Client("rival", project.project_id, "web", START, START)
    platform = _WithRival(kept, Fuse())
    platform.rivalled = Meanwhile(kept.clients(project.project_id), rival)

    with pytest.raises(Conflict):
        await replace(office.platform, platform=platform).clients.create(project, "web")

    assert await office.platform.clients.list(project) == [rival]
