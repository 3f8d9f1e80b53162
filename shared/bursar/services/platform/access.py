"""Who is asking the platform, and whether they may.

A project of which somebody is no member does not exist for them: the answer is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bursar.domain.errors import Forbidden, NotFound, Unauthenticated
from bursar.domain.projects import Project
from bursar.domain.proofs import SESSION_PREFIX, proof_digest

if TYPE_CHECKING:
    from bursar.domain.people import Person, Role
    from bursar.domain.proofs import Session
    from bursar.ports import Clock, Platform


@dataclass(frozen=True, slots=True)
class ProjectSession:
    """A client that has proved that it can open a project's vault.

    Attributes:
        public_key: the vault's key that it has, which may be the one before a rotation.
    """

    project: Project
    public_key: str


class Access:
    """Turns tokens into people and projects."""

    def __init__(self, platform: Platform, clock: Clock) -> None:
        self._platform = platform
        self._clock = clock

    async def person(self, token: str) -> Person:
        """Whose token it is.

        Raises:
            Unauthenticated: nobody's, or it has ended.
        """
        session = await self._session(token)
        person_id = session.person_id or ""
        person = await self._platform.people.get(person_id)
        if person is None or session.created_at < person.sessions_valid_from:
            raise _not_signed_in()
        return person

    async def project_of(self, token: str) -> ProjectSession:
        """Which project's token it is.

        Raises:
            Unauthenticated: none's, or it has ended, or the vault's key has been rotated.
        """
        session = await self._session(token)
        project = await self._platform.projects.get(session.project_id or "")
        return self._proven(project, session.public_key)

    async def membership(self, person: Person, project_id: str, needed: Role) -> Project:
        """A project, for somebody who may do in it what `needed` may.

        Raises:
            NotFound: no such project, or not theirs.
            Forbidden: theirs, but not in this role.
        """
        membership = await self._platform.memberships(person.person_id).get(project_id)
        project = await self._platform.projects.get(project_id) if membership else None
        if membership is None or project is None:
            raise NotFound("Project not found")
        if not membership.role.includes(needed):
            raise Forbidden(
                f"This takes the role {needed} in the project; yours is {membership.role}"
            )
        return project

    def _proven(self, project: Project | None, public_key: str | None) -> ProjectSession:
        if project is None or public_key is None:
            raise _not_signed_in()
        if not project.accepts_vault(public_key, self._clock()):
            raise Unauthenticated("The vault's key has been rotated: use the new one")
        return ProjectSession(project, public_key)

    async def _session(self, token: str) -> Session:
        if not token.startswith(SESSION_PREFIX):
            raise _not_signed_in()
        session = await self._platform.proofs.session(proof_digest(token))
        if session is None or self._clock() >= session.expires_at:
            raise _not_signed_in()
        return session


def _not_signed_in() -> Unauthenticated:
    return Unauthenticated("Invalid or expired token")
