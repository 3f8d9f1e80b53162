"""A platform whose process dies at a chosen write, and one that never does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bursar.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bursar.domain.people import Membership, Person
    from bursar.domain.projects import Client, Project, ProjectBudget, ProviderKey, VaultShare
    from bursar.ports import Collection, Leases, Links, Platform, Proofs

RecordT = TypeVar("RecordT")


class Fuse:
    """Lets some writes pass and breaks at the next; None lets all pass."""

    def __init__(self, writes: int | None = None) -> None:
        self.writes = writes
        self.passed = 0

    def burn(self) -> None:
        """Raises StoreUnavailable when the writes are used up."""
        if self.writes is not None and self.passed >= self.writes:
            raise StoreUnavailable("This process ends here")
        self.passed += 1


class BreakingPlatform:
    """The port is `Platform`; what is written goes through to another one."""

    def __init__(self, platform: Platform, fuse: Fuse) -> None:
        self._platform = platform
        self._fuse = fuse

    @property
    def people(self) -> Collection[Person]:
        return self._breaking(self._platform.people)

    @property
    def projects(self) -> Collection[Project]:
        return self._breaking(self._platform.projects)

    @property
    def links(self) -> Links:
        return _BreakingLinks(self._platform.links, self._fuse)

    @property
    def proofs(self) -> Proofs:
        return self._platform.proofs

    @property
    def leases(self) -> Leases:
        return self._platform.leases

    def members(self, project_id: str) -> Collection[Membership]:
        return self._breaking(self._platform.members(project_id))

    def memberships(self, person_id: str) -> Collection[Membership]:
        return self._breaking(self._platform.memberships(person_id))

    def provider_keys(self, project_id: str) -> Collection[ProviderKey]:
        return self._breaking(self._platform.provider_keys(project_id))

    def clients(self, project_id: str) -> Collection[Client]:
        return self._breaking(self._platform.clients(project_id))

    def budgets(self, project_id: str) -> Collection[ProjectBudget]:
        return self._breaking(self._platform.budgets(project_id))

    def shares(self, project_id: str) -> Collection[VaultShare]:
        return self._breaking(self._platform.shares(project_id))

    async def secret(self, name: str) -> bytes:
        return await self._platform.secret(name)

    def _breaking(self, collection: Collection[RecordT]) -> Collection[RecordT]:
        return _BreakingCollection(collection, self._fuse)


class _BreakingCollection(Generic[RecordT]):
    def __init__(self, collection: Collection[RecordT], fuse: Fuse) -> None:
        self._collection = collection
        self._fuse = fuse

    async def get(self, record_id: str) -> RecordT | None:
        return await self._collection.get(record_id)

    async def add(self, record: RecordT) -> bool:
        self._fuse.burn()
        return await self._collection.add(record)

    async def put(self, record: RecordT) -> None:
        self._fuse.burn()
        await self._collection.put(record)

    async def change(self, record_id: str, changes: Mapping[str, Any]) -> RecordT | None:
        self._fuse.burn()
        return await self._collection.change(record_id, changes)

    async def remove(self, record_id: str) -> bool:
        self._fuse.burn()
        return await self._collection.remove(record_id)

    async def page(self, *, skip: int, limit: int) -> Sequence[RecordT]:
        return await self._collection.page(skip=skip, limit=limit)


class _BreakingLinks:
    def __init__(self, links: Links, fuse: Fuse) -> None:
        self._links = links
        self._fuse = fuse

    async def claim(self, kind: str, name: str, target: str) -> str:
        self._fuse.burn()
        return await self._links.claim(kind, name, target)

    async def find(self, kind: str, name: str) -> str | None:
        return await self._links.find(kind, name)

    async def release(self, kind: str, name: str, target: str) -> None:
        self._fuse.burn()
        await self._links.release(kind, name, target)
