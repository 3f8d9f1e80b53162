"""Nobody sees or changes a project that is not theirs, on any route that there is.

The routes are asked of the application, so that a new one is tested, or fails here until somebody
says what it takes.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.ids import request_id
from bursar.domain.people import Role
from bursar.domain.pricing import Price
from bursar.domain.projects import person_holder, project_user_id
from bursar.domain.proofs import Session, new_session_token, proof_digest
from bursar.domain.usage import Status, UsageRecord
from bursar.services.platform.issuing import share_for
from bursar.services.platform.rekeying import rekey
from bursar.vault import PrivateKey
from functions.admin.app import create_app
from tests.fakes.office import Office
from tests.integration.asgi_client import client_of
from tests.integration.platform.rig import (
    SignedIn,
    Vault,
    add_provider_key,
    join,
    made,
    new_vault,
    sign_in,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx2
    from fastapi import FastAPI

PROVIDER_KEYS = "/api/v1/provider-keys/"
OWNERS_ONLY = {
    ("POST", "/members"),
    ("PATCH", "/members/{person_id}"),
    ("DELETE", "/members/{person_id}"),
    ("POST", "/budgets"),
    ("PATCH", "/budgets/{period}"),
    ("DELETE", "/budgets/{period}"),
    ("POST", "/clients/{client_id}/budgets/"),
    ("PATCH", "/clients/{client_id}/budgets/{period}"),
    ("DELETE", "/clients/{client_id}/budgets/{period}"),
    ("POST", "/vault/rotate"),
    ("DELETE", ""),
}
MASTERS_ONLY = {"/api/v1/accounts/{account_id}"}


@dataclass(frozen=True, slots=True)
class Route:
    """An operation of the platform API that is about a project or something in one."""

    method: str
    path: str
    is_for_people: bool
    has_body: bool

    @property
    def below(self) -> tuple[str, str]:
        """How it is called in `OWNERS_ONLY`."""
        return self.method, self.path.removeprefix("/api/v1/projects/{project_id}")

    @property
    def names(self) -> set[str]:
        return {part[1:-1] for part in self.path.split("/") if part.startswith("{")}


def routes_of(app: FastAPI) -> list[Route]:
    """All such operations, those that destroy least first."""
    found = [
        Route(method.upper(), path, _is_for_people(operation), "requestBody" in operation)
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if path.startswith("/api/v1/") and path not in MASTERS_ONLY
        if "{" in path or (path, method) == (PROVIDER_KEYS, "post")
    ]
    return sorted(found, key=lambda each: (each.method == "DELETE", -len(each.path), each.method))


def _is_for_people(operation: dict[str, Any]) -> bool:
    (scheme,) = operation["security"]
    assert scheme.keys() <= {"Person", "Project"}, scheme
    return "Person" in scheme


_office = Office()
ROUTES = routes_of(create_app(_office.services, _office.platform))
FOR_PEOPLE = [route for route in ROUTES if route.is_for_people]


@dataclass(frozen=True, slots=True)
class Life:
    """A project with one of everything, and what it takes to ask for each.

    Attributes:
        ids: what stands in paths.
        bodies: what the operations with a body take, by method and path below the project's.
    """

    vault: Vault
    owner: SignedIn
    ids: dict[str, str]
    bodies: dict[tuple[str, str], dict[str, Any]]

    async def ask(
        self, client: httpx2.AsyncClient, route: Route, **other_ids: str
    ) -> httpx2.Response:
        """Ask for an operation on this project, or on what other ids name."""
        ids = self.ids | other_ids
        body = self.bodies[route.below] if route.has_body else None
        if route.below == ("POST", PROVIDER_KEYS):
            body = {**(body or {}), "project_id": ids["project_id"]}
        return await client.request(route.method, route.path.format(**ids), json=body)

    async def kept(self, office: Office) -> list[object]:
        """Everything that is in the store of it."""
        platform, project_id = office.platform.platform, self.vault.project_id
        collections = (
            platform.members(project_id),
            platform.memberships(self.owner.person.person_id),
            platform.provider_keys(project_id),
            platform.clients(project_id),
            platform.budgets(project_id),
            platform.shares(project_id),
        )
        links = {"vault": str(self.vault.key.public), "provider-key": self.ids["provider_key_id"]}
        key = await office.services.directory.keys.get(self.ids["key_id"])
        assert key is not None
        return [
            await platform.projects.get(project_id),
            *[await collection.page(skip=0, limit=100) for collection in collections],
            *[await platform.links.find(kind, name) for kind, name in links.items()],
            key,
            await office.services.directory.key_id_of(key.digest),
            await office.services.directory.users.get(project_user_id(project_id)),
            await platform.leases.get(self.ids["lease_id"]),
        ]


async def whole_life(app: FastAPI, office: Office, name: str) -> Life:
    account_key = PrivateKey.generate()
    owner = await sign_in(app, office, f"owner of {name}")
    member = await sign_in(app, office, f"member of {name}", account_key)
    newcomer = await sign_in(app, office, f"newcomer to {name}")
    await office.platform.platform.links.claim(
        "email", newcomer.person.email, newcomer.person.person_id
    )
    vault = await new_vault(owner.client, name)
    await join(office, vault.project_id, member.person, Role.MEMBER)
    member_id = member.person.person_id
    ids = await _one_of_everything(app, office, owner.client, vault)
    share = share_for(vault.key, account_key.public, vault.project_id, person_holder(member_id))
    path = f"{vault.path}/vault/shares/person/{member_id}"
    assert (await owner.client.put(path, json=asdict(share))).status_code == 200
    bodies: dict[tuple[str, str], dict[str, Any]] = {
        ("POST", PROVIDER_KEYS): {"provider": "mistral", "encrypted_key": vault.sealed()},
        ("PATCH", PROVIDER_KEYS + "{provider_key_id}"): {"encrypted_key": vault.sealed("next")},
        ("PATCH", ""): {"name": "taken over"},
        ("POST", "/members"): {"email": newcomer.person.email, "role": "read_only"},
        ("PATCH", "/members/{person_id}"): {"role": "read_only"},
        ("POST", "/clients/"): {"name": "another", "is_default": True},
        ("PATCH", "/clients/{client_id}"): {"name": "renamed", "is_default": True},
        ("POST", "/budgets"): {"budget_limit": 1, "spend_period": "weekly"},
        ("PATCH", "/budgets/{period}"): {"budget_limit": 0},
        ("POST", "/clients/{client_id}/budgets/"): {"budget_limit": 1, "spend_period": "weekly"},
        ("PATCH", "/clients/{client_id}/budgets/{period}"): {"budget_limit": 0},
        ("PUT", "/vault/shares/person/{person_id}"): asdict(share),
        ("POST", "/vault/rotate"): await _rotation(office, vault),
        ("POST", "/keys"): vault.issue()[1],
        ("PATCH", "/keys/{key_id}"): {"is_active": False},
        ("POST", "/keys/{key_id}/rotate"): vault.issue()[1],
    }
    return Life(vault, owner, ids | {"person_id": member_id}, bodies)


async def _one_of_everything(
    app: FastAPI, office: Office, owner: httpx2.AsyncClient, vault: Vault
) -> dict[str, str]:
    now, budget = office.now, {"budget_limit": 50, "spend_period": "daily"}
    client = await made(owner, f"{vault.path}/clients/", {"name": "web", "is_default": True})
    await made(owner, f"{vault.path}/budgets", budget)
    await made(owner, f"{vault.path}/clients/{client['id']}/budgets/", budget)
    key = await made(owner, f"{vault.path}/keys", vault.issue()[1])
    await office.services.directory.prices.put(
        Price("openai:gpt", Decimal(1), Decimal(1), now, now)
    )
    user_id = project_user_id(vault.project_id)
    record = UsageRecord(request_id(now), user_id, now, "/v1/chat/completions", Status.SUCCESS)
    await office.services.usage_log.record(record)
    sealed = await add_provider_key(owner, vault)
    async with client_of(app, authorization=f"Bearer {await project_token(office, vault)}") as own:
        lease = await made(own, "/api/v1/leases/", {"amount": "1", "duration_sec": 600})
    return {
        "project_id": vault.project_id,
        "provider_key_id": sealed["id"],
        "provider": "openai",
        "client_id": client["id"],
        "key_id": key["id"],
        "period": "daily",
        "lease_id": lease["id"],
    }


async def _rotation(office: Office, vault: Vault) -> dict[str, Any]:
    project = await office.platform.platform.projects.get(vault.project_id)
    assert project is not None
    changes = rekey(
        vault.key,
        PrivateKey.generate(),
        vault.project_id,
        await office.platform.provider_keys.list(project, include_archived=True),
        await office.platform.vault_shares.list(project),
    )
    keys = [
        {"id": each.provider_key_id, "encrypted_key": each.encrypted_key, "version": each.version}
        for each in changes.provider_keys
    ]
    shares = [
        {"holder_id": holder, "sealed": share.sealed, "voucher": share.voucher}
        for holder, share in changes.shares
    ]
    return {
        "encryption_key": changes.encryption_key,
        "provider_keys": keys,
        "shares": shares,
        "grace_period_sec": 3600,
    }


async def project_token(office: Office, vault: Vault) -> str:
    """The token of a client that has proved that it can open the vault."""
    token, public_key = new_session_token(), str(vault.key.public)
    ends = office.now.replace(year=office.now.year + 1)
    session = Session(
        proof_digest(token),
        office.now,
        ends,
        project_id=vault.project_id,
        public_key=public_key,
    )
    await office.platform.platform.proofs.open(session)
    return token


def missing(names: Iterable[str]) -> dict[str, str]:
    """Ids of nothing that there is."""
    return {name: str(uuid.uuid4()) for name in names if name.endswith("_id")}


@pytest.fixture
async def theirs(app: FastAPI, office: Office) -> Life:
    return await whole_life(app, office, "theirs")


def test_there_are_routes_to_test() -> None:
    assert len(FOR_PEOPLE) >= 40
    assert len(ROUTES) > len(FOR_PEOPLE)


async def test_its_owner_may_ask_for_everything(app: FastAPI, office: Office, theirs: Life) -> None:
    """Or else the refusals below would prove nothing."""
    token = await project_token(office, theirs.vault)
    # What is sealed for the present key and version is asked for before that changes.
    routes = sorted(
        ROUTES, key=lambda route: (route.is_for_people, route.below != ("POST", "/vault/rotate"))
    )
    async with client_of(app, authorization=f"Bearer {token}") as own:
        for route in routes:
            client = theirs.owner.client if route.is_for_people else own
            answer = await theirs.ask(client, route)
            assert answer.is_success, f"{route.method} {route.path}: {answer.text}"


async def test_to_a_stranger_a_project_is_one_that_does_not_exist(
    app: FastAPI, office: Office, theirs: Life
) -> None:
    stranger = (await whole_life(app, office, "a stranger's")).owner.client
    before = await theirs.kept(office)
    for route in FOR_PEOPLE:
        answer = await theirs.ask(stranger, route)
        assert answer.status_code == 404, f"{route.method} {route.path}: {answer.text}"
        of_nothing = await theirs.ask(stranger, route, **missing(theirs.ids))
        assert answer.json() == of_nothing.json(), f"{route.method} {route.path}"
        assert await theirs.kept(office) == before, f"{route.method} {route.path}"


async def test_what_is_in_another_project_does_not_exist_in_ones_own(
    app: FastAPI, office: Office, theirs: Life
) -> None:
    mine = await whole_life(app, office, "mine")
    before = await theirs.kept(office)
    tried = set()
    for route in FOR_PEOPLE:
        inner = route.names - {"project_id", "period"}
        if "project_id" not in route.names or not inner:
            continue
        tried.add(route.path)
        there = {name: theirs.ids[name] for name in inner}
        answer = await mine.ask(mine.owner.client, route, **there)
        assert answer.status_code == 404, f"{route.method} {route.path}: {answer.text}"
        of_nothing = await mine.ask(mine.owner.client, route, **missing(inner))
        assert answer.json() == of_nothing.json(), f"{route.method} {route.path}"
        assert await theirs.kept(office) == before, f"{route.method} {route.path}"
    assert len(tried) > 6


async def test_a_projects_token_reaches_no_other_project(
    app: FastAPI, office: Office, theirs: Life
) -> None:
    mine = await new_vault(theirs.owner.client, "mine")
    before = await theirs.kept(office)
    token = await project_token(office, mine)
    async with client_of(app, authorization=f"Bearer {token}") as client:
        for route in ROUTES:
            if route.is_for_people:
                continue
            answer = await theirs.ask(client, route)
            assert answer.status_code == 404, f"{route.method} {route.path}: {answer.text}"
            of_nothing = await theirs.ask(client, route, **missing(route.names))
            assert answer.json() == of_nothing.json(), f"{route.method} {route.path}"
            assert await theirs.kept(office) == before, f"{route.method} {route.path}"


async def test_who_may_only_read_changes_nothing(
    app: FastAPI, office: Office, theirs: Life
) -> None:
    reader = await sign_in(app, office, "reader")
    await join(office, theirs.vault.project_id, reader.person, Role.READ_ONLY)
    before = await theirs.kept(office)
    for route in FOR_PEOPLE:
        answer = await theirs.ask(reader.client, route)
        expected = 200 if route.method == "GET" else 403
        assert answer.status_code == expected, f"{route.method} {route.path}: {answer.text}"
        assert await theirs.kept(office) == before, f"{route.method} {route.path}"


async def test_a_member_may_do_all_but_what_is_for_owners(
    app: FastAPI, office: Office, theirs: Life
) -> None:
    member = await sign_in(app, office, "member")
    await join(office, theirs.vault.project_id, member.person, Role.MEMBER)
    refused = set()
    for route in FOR_PEOPLE:
        answer = await theirs.ask(member.client, route)
        if answer.status_code == 403:
            refused.add(route.below)
        else:
            assert answer.is_success, f"{route.method} {route.path}: {answer.text}"
    assert refused == OWNERS_ONLY


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Bearer bst-unknown", "Basic YTpi"])
async def test_without_a_valid_token_nothing_is_told(
    app: FastAPI, office: Office, theirs: Life, header: str
) -> None:
    before = await theirs.kept(office)
    async with client_of(app, **({"authorization": header} if header else {})) as anybody:
        for route in ROUTES:
            answer = await theirs.ask(anybody, route)
            assert answer.status_code == 401, f"{route.method} {route.path}: {answer.text}"
            assert theirs.vault.project_id not in answer.text
    assert await theirs.kept(office) == before


async def test_a_token_is_good_for_what_it_was_given_for_only(
    app: FastAPI, office: Office, theirs: Life
) -> None:
    token = await project_token(office, theirs.vault)
    before = await theirs.kept(office)
    async with client_of(app, authorization=f"Bearer {token}") as proven:
        for route in ROUTES:
            client = proven if route.is_for_people else theirs.owner.client
            answer = await theirs.ask(client, route)
            assert answer.status_code == 401, f"{route.method} {route.path}: {answer.text}"
    assert await theirs.kept(office) == before
