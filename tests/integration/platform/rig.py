"""People, projects and vaults for tests that are not about how those come to be."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx2

from bursar.domain.people import Membership, Person, Role
from bursar.domain.proofs import Session, new_session_token, proof_digest
from bursar.services.platform.issuing import IssuedForVault, issue_for_vault
from bursar.vault import PrivateKey, seal_v1
from tests.integration.asgi_client import client_of

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tests.fakes.office import Office

SECRET = "sk-a-provider-key"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody with an account, and a client with their token."""

    person: Person
    client: httpx2.AsyncClient


@dataclass(frozen=True, slots=True)
class Vault:
    """A project, and the private half of its vault's key."""

    project_id: str
    key: PrivateKey

    @property
    def path(self) -> str:
        return f"/api/v1/projects/{self.project_id}"

    def issue(self) -> tuple[IssuedForVault, dict[str, Any]]:
        """A virtual key, and the body that the gateway gets of it."""
        issued = issue_for_vault(self.key, self.project_id)
        return issued, {"digest": issued.digest, "share": asdict(issued.share)}

    def sealed(self, secret: str = SECRET) -> str:
        return seal_v1(secret, self.key.public)


async def sign_in(
    app: FastAPI, office: Office, name: str, account_key: PrivateKey | None = None
) -> SignedIn:
    """Make an account and a session, without a password: its stretching takes its time."""
    person = Person(
        person_id=str(uuid.uuid4()),
        email=f"{name}@example.com",
        created_at=office.now,
        updated_at=office.now,
        kdf="none",
        login_verifier="none",
        sessions_valid_from=office.now,
        account_public_key=None if account_key is None else str(account_key.public),
    )
    await office.platform.platform.people.put(person)
    token = new_session_token()
    ends = office.now + timedelta(days=365)
    session = Session(proof_digest(token), office.now, ends, person_id=person.person_id)
    await office.platform.platform.proofs.open(session)
    return SignedIn(person, client_of(app, authorization=f"Bearer {token}"))


async def join(office: Office, project_id: str, person: Person, role: Role) -> None:
    """Make somebody a member, as an owner does."""
    platform = office.platform.platform
    membership = Membership(project_id, person.person_id, role, office.now)
    await platform.members(project_id).put(membership)
    await platform.memberships(person.person_id).put(membership)


async def new_vault(owner: httpx2.AsyncClient, name: str = "web") -> Vault:
    key = PrivateKey.generate()
    body = {"name": name, "encryption_key": str(key.public)}
    return Vault((await made(owner, "/api/v1/projects/", body))["id"], key)


async def made(client: httpx2.AsyncClient, path: str, body: Any) -> dict[str, Any]:
    """Post something that is accepted; the record."""
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


async def add_provider_key(
    client: httpx2.AsyncClient, vault: Vault, provider: str = "openai", sealed: str | None = None
) -> dict[str, Any]:
    text = vault.sealed() if sealed is None else sealed
    body = {"project_id": vault.project_id, "provider": provider, "encrypted_key": text}
    return await made(client, "/api/v1/provider-keys/", body)
