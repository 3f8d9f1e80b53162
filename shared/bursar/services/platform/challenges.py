"""Proving that one can open a project's vault, and the token that this earns."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bursar.domain.errors import InvalidRequest, NotFound, Unauthenticated
from bursar.domain.proofs import Challenge, Session, new_session_token, proof_digest
from bursar.ports import Clock, Platform
from bursar.services.platform.access import ProjectSession
from bursar.services.platform.attempts import Attempts
from bursar.services.platform.rules import PlatformRules
from bursar.vault import InvalidKey, PublicKey, seal_v1

if TYPE_CHECKING:
    from bursar.domain.projects import Project

NO_PROJECT = "No project found for the provided public key"
"""The published clients look for the first three words."""


@dataclass(frozen=True, slots=True)
class ProjectToken:
    """A token that stands for a project, for who can open its vault."""

    token: str = field(repr=False)
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class Challenges:
    """Issues and redeems challenges: random ids that only the vault's key opens."""

    platform: Platform
    attempts: Attempts
    rules: PlatformRules
    clock: Clock

    async def issue(self, public_key: str, source: str) -> str:
        """Seal a fresh id to a vault's public key.

        Raises:
            InvalidRequest: not an X25519 public key.
            NotFound: no project has it.
            RateLimited: too often.
        """
        try:
            recipient = PublicKey.parse(public_key)
        except InvalidKey as error:
            raise InvalidRequest(f"Invalid public key: {error}", param="encryption_key") from None
        project = await self._project(str(recipient))
        subject = source if project is None else project.project_id
        await self.attempts.take("challenge", subject, self.rules.challenge_rpm)
        if project is None:
            raise NotFound(NO_PROJECT)
        solution = str(uuid.uuid4())
        expires_at = self.clock() + timedelta(seconds=self.rules.challenge_s)
        challenge = Challenge(
            proof_digest(solution), project.project_id, str(recipient), expires_at
        )
        await self.platform.proofs.issue(challenge)
        return seal_v1(solution, recipient)

    async def redeem(self, solution: str) -> ProjectSession:
        """Whose vault was opened. A challenge is good once.

        Raises:
            Unauthenticated: unknown, used or expired, or the vault has been rotated meanwhile.
        """
        challenge = await self.platform.proofs.take(proof_digest(solution))
        now = self.clock()
        if challenge is None or now >= challenge.expires_at:
            raise Unauthenticated("Invalid, used or expired challenge")
        project = await self.platform.projects.get(challenge.project_id)
        if project is None or not project.accepts_vault(challenge.public_key, now):
            raise Unauthenticated("The vault's key has been rotated: use the new one")
        return ProjectSession(project, challenge.public_key)

    async def redeem_legacy(self, public_key: str, solution: str) -> ProjectSession:
        """The proof of the oldest SDKs, which send both with each request.

        Raises:
            Unauthenticated: as `redeem`, or the challenge was another key's.
        """
        session = await self.redeem(solution)
        try:
            presented = str(PublicKey.parse(public_key))
        except InvalidKey:
            presented = ""
        if presented != session.public_key:
            raise Unauthenticated("The challenge was sealed to another public key")
        return session

    async def token(self, session: ProjectSession) -> ProjectToken:
        """A token for who has proved it, bound to the project and to the vault's key."""
        now, text = self.clock(), new_session_token()
        kept = Session(
            proof_digest(text),
            now,
            now + timedelta(seconds=self.rules.project_token_s),
            project_id=session.project.project_id,
            public_key=session.public_key,
        )
        await self.platform.proofs.open(kept)
        return ProjectToken(text, self.rules.project_token_s)

    async def _project(self, public_key: str) -> Project | None:
        project_id = await self.platform.links.find("vault", public_key)
        project = await self.platform.projects.get(project_id) if project_id else None
        if project is None or not project.accepts_vault(public_key, self.clock()):
            return None
        return project
