"""A path's project, for somebody who may do in it what a role may."""

from typing import Annotated

from fastapi import Depends

from bursar.domain.people import Role
from bursar.domain.projects import Project
from functions.admin.platform.dependencies import Me, Office
from functions.admin.schemas.problems import FORBIDDEN, INVALID, NOT_FOUND, UNAUTHORIZED

__all__ = ["IN_A_PROJECT", "Managed", "Owned", "Project", "Readable"]

IN_A_PROJECT = {**UNAUTHORIZED, **FORBIDDEN, **NOT_FOUND, **INVALID}
"""How every route below a project may fail."""


async def _readable(project_id: str, me: Me, office: Office) -> Project:
    return await office.access.membership(me, project_id, Role.READ_ONLY)


async def _managed(project_id: str, me: Me, office: Office) -> Project:
    return await office.access.membership(me, project_id, Role.MEMBER)


async def _owned(project_id: str, me: Me, office: Office) -> Project:
    return await office.access.membership(me, project_id, Role.OWNER)


Readable = Annotated[Project, Depends(_readable)]
Managed = Annotated[Project, Depends(_managed)]
Owned = Annotated[Project, Depends(_owned)]
