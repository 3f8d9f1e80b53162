"""People and projects on DynamoDB: what belongs to a project is a partition of that project's."""

from __future__ import annotations

import secrets
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Final, TypeVar

from bursar.domain.people import Membership, Person
from bursar.domain.projects import Client, Project, ProjectBudget, ProviderKey, VaultShare
from bursar.store.collection import DynamoCollection
from bursar.store.creation import conflicting
from bursar.store.leases import DynamoLeases
from bursar.store.links import DynamoLinks
from bursar.store.proofs import DynamoProofs
from bursar.store.values import text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from bursar.store.call import Call

RecordT = TypeVar("RecordT", bound="DataclassInstance")

_SECRET_BYTES: Final = 32


class DynamoPlatform:
    """The port is `Platform`."""

    def __init__(self, call: Call, table_name: str) -> None:
        self._call = call
        self._table_name = table_name
        self.people = self._kind("PERSON", Person, "person_id")
        self.projects = self._kind("PROJECT", Project, "project_id")
        self.links = DynamoLinks(call, table_name)
        self.proofs = DynamoProofs(call, table_name)
        self.leases = DynamoLeases(call, table_name)

    def members(self, project_id: str) -> DynamoCollection[Membership]:
        return self._kind(f"MEMBER#{project_id}", Membership, "person_id")

    def memberships(self, person_id: str) -> DynamoCollection[Membership]:
        return self._kind(f"MEMBERSHIP#{person_id}", Membership, "project_id")

    def provider_keys(self, project_id: str) -> DynamoCollection[ProviderKey]:
        return self._kind(f"PROVIDER_KEY#{project_id}", ProviderKey, "provider_key_id")

    def clients(self, project_id: str) -> DynamoCollection[Client]:
        return self._kind(f"CLIENT#{project_id}", Client, "client_id")

    def budgets(self, project_id: str) -> DynamoCollection[ProjectBudget]:
        return self._kind(f"PROJECT_BUDGET#{project_id}", ProjectBudget, "slot")

    def shares(self, project_id: str) -> DynamoCollection[VaultShare]:
        return self._kind(f"SHARE#{project_id}", VaultShare, "holder_id")

    async def secret(self, name: str) -> bytes:
        """Of two who make it at once, both get the first one's."""
        key = {"pk": text(f"SECRET#{name}"), "sk": text("SECRET")}
        answer = await self._call("GetItem", {"TableName": self._table_name, "Key": key})
        item = answer.get("Item")
        if not item:
            made = b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
            fresh = {**key, "secret": text(made)}
            item = await conflicting(self._call, self._table_name, fresh) or fresh
        return b64decode(item["secret"]["S"])

    def _kind(self, pk: str, kind: type[RecordT], id_field: str) -> DynamoCollection[RecordT]:
        return DynamoCollection(
            self._call, self._table_name, pk=pk, record_type=kind, id_field=id_field
        )
