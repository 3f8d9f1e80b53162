from __future__ import annotations

import secrets
from collections import defaultdict
from typing import TYPE_CHECKING

from bursar.domain.people import Membership, Person
from bursar.domain.projects import Client, Project, ProjectBudget, ProviderKey, VaultShare
from bursar.memory.collection import MemoryCollection

if TYPE_CHECKING:
    from bursar.domain.leases import Lease
    from bursar.domain.proofs import Challenge, Session

_SECRET_BYTES = 32


class MemoryLinks:
    """The port is `Links`."""

    def __init__(self) -> None:
        self._targets: dict[tuple[str, str], str] = {}

    async def claim(self, kind: str, name: str, target: str) -> str:
        return self._targets.setdefault((kind, name), target)

    async def find(self, kind: str, name: str) -> str | None:
        return self._targets.get((kind, name))

    async def release(self, kind: str, name: str, target: str) -> None:
        if self._targets.get((kind, name)) == target:
            del self._targets[kind, name]


class MemoryProofs:
    """The port is `Proofs`; what has expired is kept."""

    def __init__(self) -> None:
        self._challenges: dict[str, Challenge] = {}
        self._sessions: dict[str, Session] = {}

    async def issue(self, challenge: Challenge) -> None:
        self._challenges[challenge.digest] = challenge

    async def take(self, digest: str) -> Challenge | None:
        return self._challenges.pop(digest, None)

    async def open(self, session: Session) -> None:
        self._sessions[session.digest] = session

    async def session(self, digest: str) -> Session | None:
        return self._sessions.get(digest)

    async def end(self, digest: str) -> None:
        self._sessions.pop(digest, None)


class MemoryLeases:
    """The port is `Leases`."""

    def __init__(self) -> None:
        self._leases: dict[str, Lease] = {}

    async def add(self, lease: Lease) -> None:
        self._leases[lease.lease_id] = lease

    async def get(self, lease_id: str) -> Lease | None:
        return self._leases.get(lease_id)

    async def advance(self, lease: Lease) -> bool:
        kept = self._leases.get(lease.lease_id)
        if kept is None or kept.revision != lease.revision - 1:
            return False
        self._leases[lease.lease_id] = lease
        return True

    async def remove(self, lease_id: str) -> None:
        self._leases.pop(lease_id, None)


class MemoryPlatform:
    """People and projects in memory; the port is `Platform`."""

    def __init__(self) -> None:
        self.people = MemoryCollection(Person, "person_id")
        self.projects = MemoryCollection(Project, "project_id")
        self.links = MemoryLinks()
        self.proofs = MemoryProofs()
        self.leases = MemoryLeases()
        self._secrets: dict[str, bytes] = {}
        self._members = defaultdict[str, MemoryCollection[Membership]](
            lambda: MemoryCollection(Membership, "person_id")
        )
        self._memberships = defaultdict[str, MemoryCollection[Membership]](
            lambda: MemoryCollection(Membership, "project_id")
        )
        self._provider_keys = defaultdict[str, MemoryCollection[ProviderKey]](
            lambda: MemoryCollection(ProviderKey, "provider_key_id")
        )
        self._clients = defaultdict[str, MemoryCollection[Client]](
            lambda: MemoryCollection(Client, "client_id")
        )
        self._budgets = defaultdict[str, MemoryCollection[ProjectBudget]](
            lambda: MemoryCollection(ProjectBudget, "slot")
        )
        self._shares = defaultdict[str, MemoryCollection[VaultShare]](
            lambda: MemoryCollection(VaultShare, "holder_id")
        )

    def members(self, project_id: str) -> MemoryCollection[Membership]:
        return self._members[project_id]

    def memberships(self, person_id: str) -> MemoryCollection[Membership]:
        return self._memberships[person_id]

    def provider_keys(self, project_id: str) -> MemoryCollection[ProviderKey]:
        return self._provider_keys[project_id]

    def clients(self, project_id: str) -> MemoryCollection[Client]:
        return self._clients[project_id]

    def budgets(self, project_id: str) -> MemoryCollection[ProjectBudget]:
        return self._budgets[project_id]

    def shares(self, project_id: str) -> MemoryCollection[VaultShare]:
        return self._shares[project_id]

    async def secret(self, name: str) -> bytes:
        return self._secrets.setdefault(name, secrets.token_bytes(_SECRET_BYTES))
