from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from bursar.domain.people import Role
from bursar.domain.projects import project_user_id
from bursar.vault import PrivateKey
from tests.integration.platform.rig import add_provider_key, join, made, new_vault, sign_in

if TYPE_CHECKING:
    import httpx2
    from fastapi import FastAPI

    from tests.fakes.office import Office

PROJECTS = "/api/v1/projects/"


@pytest.fixture
async def ada(app: FastAPI, office: Office) -> httpx2.AsyncClient:
    return (await sign_in(app, office, "ada")).client


def public_key() -> str:
    return str(PrivateKey.generate().public)


async def test_a_project_is_made_with_what_was_said_and_shown_the_same(
    ada: httpx2.AsyncClient,
) -> None:
    body = {"name": "web", "description": "the shop", "encryption_key": public_key()}
    project = await made(ada, PROJECTS, body)
    assert uuid.UUID(project["id"])
    assert project == {
        "id": project["id"],
        **body,
        "previous_encryption_key": None,
        "previous_valid_until": None,
        "created_at": "2026-01-10T12:00:00.000000Z",
        "updated_at": "2026-01-10T12:00:00.000000Z",
    }
    answer = await ada.get(f"{PROJECTS}{project['id']}")
    assert (answer.status_code, answer.json()) == (200, project)


async def test_a_project_has_a_user_of_its_own_in_the_gateway(
    ada: httpx2.AsyncClient, office: Office
) -> None:
    project = await made(ada, PROJECTS, {"name": "web"})
    users = office.services.directory.users
    user = await users.get(project_user_id(project["id"]))
    assert user is not None
    assert (user.alias, user.deleted_at) == ("web", None)

    await ada.patch(f"{PROJECTS}{project['id']}", json={"name": "shop"})
    renamed = await users.get(user.user_id)
    assert renamed is not None
    assert renamed.alias == "shop"


async def test_projects_are_listed_for_their_members_a_page_at_a_time(
    app: FastAPI, office: Office, ada: httpx2.AsyncClient
) -> None:
    ids = []
    for name in ("a", "b", "c"):
        office.wait(seconds=1)
        ids.append((await made(ada, PROJECTS, {"name": name}))["id"])
    bob = await sign_in(app, office, "bob")
    assert (await bob.client.get(PROJECTS)).json() == {"data": [], "count": 0}
    await join(office, ids[1], bob.person, Role.READ_ONLY)
    page = (await bob.client.get(PROJECTS)).json()
    assert ([one["id"] for one in page["data"]], page["count"]) == ([ids[1]], 1)

    page = (await ada.get(PROJECTS, params={"skip": 1, "limit": 1})).json()
    assert ([one["name"] for one in page["data"]], page["count"]) == (["b"], 3)


async def test_a_change_leaves_what_it_does_not_name_and_clears_what_is_null(
    ada: httpx2.AsyncClient,
) -> None:
    key = public_key()
    body = {"name": "web", "description": "the shop", "encryption_key": key}
    project = await made(ada, PROJECTS, body)
    path = f"{PROJECTS}{project['id']}"

    renamed = (await ada.patch(path, json={"name": "shop"})).json()
    assert (renamed["name"], renamed["description"]) == ("shop", "the shop")
    assert renamed["encryption_key"] == key
    cleared = (await ada.patch(path, json={"name": None, "description": None})).json()
    assert (cleared["name"], cleared["description"]) == ("shop", None)
    assert (await ada.patch(path, json={"encryption_key": None})).json()["encryption_key"] is None
    await made(ada, PROJECTS, {"name": "heir", "encryption_key": key})


async def test_another_public_key_ends_the_old_one_at_once_and_frees_it(
    ada: httpx2.AsyncClient, office: Office
) -> None:
    vault = await new_vault(ada)
    sealed = await add_provider_key(ada, vault)
    old, new = str(vault.key.public), public_key()

    changed = await ada.patch(vault.path, json={"encryption_key": new})
    assert changed.json()["encryption_key"] == new
    assert changed.json()["previous_encryption_key"] is None
    links = office.platform.platform.links
    assert await links.find("vault", new) == vault.project_id
    assert await links.find("vault", old) is None
    listed = await ada.get(f"/api/v1/provider-keys/project/{vault.project_id}")
    assert listed.json() == {"data": [sealed], "count": 1}


async def test_a_public_key_belongs_to_one_project(ada: httpx2.AsyncClient, office: Office) -> None:
    vault = await new_vault(ada)
    taken = str(vault.key.public)
    twin = await ada.post(PROJECTS, json={"name": "twin", "encryption_key": taken})
    assert twin.status_code == 409
    other = await made(ada, PROJECTS, {"name": "other"})
    refused = await ada.patch(f"{PROJECTS}{other['id']}", json={"encryption_key": taken})
    assert refused.status_code == 409
    assert isinstance(refused.json()["detail"], str)
    assert (await ada.get(PROJECTS)).json()["count"] == 2
    assert await office.platform.platform.links.find("vault", taken) == vault.project_id
    same = await ada.patch(vault.path, json={"encryption_key": taken})
    assert same.status_code == 200


@pytest.mark.parametrize(
    "text",
    [
        "not base64!",
        "c2hvcnQ=",
        "A" * 43 + "=",
        "whNl8wjy3ZWCS6GmErFY+GUiryKfSKA0aQTfseFuJHg",
        "whNl8wjy3ZWCS6GmErFY-GUiryKfSKA0aQTfseFuJHg=",
    ],
)
async def test_what_is_no_public_key_is_a_bad_request(ada: httpx2.AsyncClient, text: str) -> None:
    refused = await ada.post(PROJECTS, json={"name": "bad", "encryption_key": text})
    assert refused.status_code == 400
    assert (await ada.get(PROJECTS)).json()["count"] == 0
    project = await made(ada, PROJECTS, {"name": "good"})
    changed = await ada.patch(f"{PROJECTS}{project['id']}", json={"encryption_key": text})
    assert changed.status_code == 400


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": "x" * 256}, {"name": "x", "description": "x" * 1025}, {"name": 1}],
)
async def test_a_project_that_does_not_validate_is_not_made(
    ada: httpx2.AsyncClient, body: dict[str, object]
) -> None:
    answer = await ada.post(PROJECTS, json=body)
    assert answer.status_code == 422
    assert (await ada.get(PROJECTS)).json()["count"] == 0


async def test_a_member_renames_a_project_and_only_an_owner_changes_its_key(
    app: FastAPI, office: Office, ada: httpx2.AsyncClient
) -> None:
    vault = await new_vault(ada)
    bob = await sign_in(app, office, "bob")
    await join(office, vault.project_id, bob.person, Role.MEMBER)
    assert (await bob.client.patch(vault.path, json={"name": "shop"})).status_code == 200
    for key in (public_key(), None):
        refused = await bob.client.patch(vault.path, json={"encryption_key": key})
        assert refused.status_code == 403
    assert (await ada.get(vault.path)).json()["encryption_key"] == str(vault.key.public)


async def test_a_deleted_project_takes_everything_along_but_its_books(
    app: FastAPI, office: Office, ada: httpx2.AsyncClient
) -> None:
    vault = await new_vault(ada)
    bob = await sign_in(app, office, "bob")
    await join(office, vault.project_id, bob.person, Role.MEMBER)
    sealed = await add_provider_key(ada, vault)
    _, body = vault.issue()
    key = await made(ada, f"{vault.path}/keys", body)
    client = await made(ada, f"{vault.path}/clients/", {"name": "web"})
    budget = {"budget_limit": 5, "spend_period": "daily"}
    await made(ada, f"{vault.path}/budgets", budget)
    await made(ada, f"{vault.path}/clients/{client['id']}/budgets/", budget)

    answer = await ada.delete(vault.path)
    assert (answer.status_code, answer.json()) == (200, {"message": "Project deleted"})

    platform, project_id = office.platform.platform, vault.project_id
    for collection in (
        platform.members(project_id),
        platform.provider_keys(project_id),
        platform.clients(project_id),
        platform.budgets(project_id),
        platform.shares(project_id),
        platform.memberships(bob.person.person_id),
    ):
        assert not await collection.page(skip=0, limit=10)
    assert await platform.links.find("vault", str(vault.key.public)) is None
    assert await platform.links.find("provider-key", sealed["id"]) is None
    record = await office.services.directory.keys.get(key["id"])
    assert record is not None
    assert record.is_active is False
    user = await office.services.directory.users.get(project_user_id(project_id))
    assert user is not None
    assert user.deleted_at == office.now
    for client_of_theirs in (ada, bob.client):
        assert (await client_of_theirs.get(vault.path)).status_code == 404
        assert (await client_of_theirs.get(PROJECTS)).json()["count"] == 0
    await made(ada, PROJECTS, {"name": "heir", "encryption_key": str(vault.key.public)})
