from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from bursar.domain.projects import SpendPeriod
from tests.integration.platform.rig import Vault, made, new_vault, sign_in

if TYPE_CHECKING:
    import httpx2
    from fastapi import FastAPI

    from tests.fakes.office import Office


@pytest.fixture
async def ada(app: FastAPI, office: Office) -> httpx2.AsyncClient:
    return (await sign_in(app, office, "ada")).client


@pytest.fixture
async def vault(ada: httpx2.AsyncClient) -> Vault:
    return await new_vault(ada)


@pytest.fixture
def path(vault: Vault) -> str:
    return f"{vault.path}/clients/"


async def defaults(client: httpx2.AsyncClient, path: str) -> list[str]:
    listed = (await client.get(path)).json()["data"]
    return [one["name"] for one in listed if one["is_default"]]


async def test_a_client_is_made_shown_renamed_and_deleted(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    client = await made(ada, path, {"name": "web"})
    assert uuid.UUID(client["id"])
    assert client == {
        "id": client["id"],
        "project_id": vault.project_id,
        "name": "web",
        "is_default": False,
        "created_at": "2026-01-10T12:00:00.000000Z",
        "updated_at": "2026-01-10T12:00:00.000000Z",
    }
    office.wait(seconds=1)
    own = f"{path}{client['id']}"
    assert (await ada.get(own)).json() == client
    renamed = (await ada.patch(own, json={"name": "shop"})).json()
    assert (renamed["name"], renamed["updated_at"]) == ("shop", "2026-01-10T12:00:01.000000Z")
    deleted = await ada.delete(own)
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Client deleted"})
    for attempt in (ada.get(own), ada.delete(own), ada.patch(own, json={"name": "x"})):
        refused = await attempt
        assert (refused.status_code, refused.json()["detail"]) == (404, "Client not found")


async def test_clients_are_listed_oldest_first_with_the_count_of_all(
    ada: httpx2.AsyncClient, path: str, office: Office
) -> None:
    for name in ("a", "b", "c"):
        office.wait(seconds=1)
        await made(ada, path, {"name": name})
    page = (await ada.get(path, params={"skip": 1, "limit": 1})).json()
    assert ([one["name"] for one in page["data"]], page["count"]) == (["b"], 3)


async def test_a_clients_name_is_its_own_in_the_project(ada: httpx2.AsyncClient, path: str) -> None:
    await made(ada, path, {"name": "web"})
    job = await made(ada, path, {"name": "job"})
    assert (await ada.post(path, json={"name": "web"})).status_code == 409
    assert (await ada.patch(f"{path}{job['id']}", json={"name": "web"})).status_code == 409
    assert (await ada.patch(f"{path}{job['id']}", json={"name": "job"})).status_code == 200
    other = await new_vault(ada, "other")
    await made(ada, f"{other.path}/clients/", {"name": "web"})


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x" * 256}, {"name": "x", "is_default": 1}]
)
async def test_a_client_that_does_not_validate_is_not_made(
    ada: httpx2.AsyncClient, path: str, body: dict[str, object]
) -> None:
    assert (await ada.post(path, json=body)).status_code == 422
    assert (await ada.get(path)).json()["count"] == 0


async def test_a_project_has_one_default_client_or_none(ada: httpx2.AsyncClient, path: str) -> None:
    made_here = {
        name: await made(ada, path, {"name": name, "is_default": is_default})
        for name, is_default in (("a", True), ("b", True), ("c", False))
    }
    assert made_here["b"]["is_default"] is True
    assert await defaults(ada, path) == ["b"]
    answer = await ada.post(f"{path}{made_here['a']['id']}/set-default")
    assert (answer.status_code, answer.json()["is_default"]) == (200, True)
    assert await defaults(ada, path) == ["a"]

    not_the_default = f"{path}{made_here['c']['id']}"
    assert (await ada.patch(not_the_default, json={"is_default": False})).status_code == 200
    assert await defaults(ada, path) == ["a"]
    await ada.patch(f"{path}{made_here['a']['id']}", json={"is_default": False})
    assert await defaults(ada, path) == []
    missing = await ada.post(f"{path}{uuid.uuid4()}/set-default")
    assert missing.status_code == 404


async def test_a_deleted_client_is_no_default_and_has_no_budgets_any_more(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    client = await made(ada, path, {"name": "web", "is_default": True})
    kept = await made(ada, path, {"name": "job"})
    for each in (client, kept):
        for period in SpendPeriod:
            budget = {"budget_limit": 1, "spend_period": period}
            await made(ada, f"{path}{each['id']}/budgets/", budget)
    await ada.delete(f"{path}{client['id']}")

    project = await office.platform.platform.projects.get(vault.project_id)
    assert project is not None
    assert project.default_client_id is None
    budgets = await office.platform.platform.budgets(vault.project_id).page(skip=0, limit=10)
    assert {budget.client_id for budget in budgets} == {kept["id"]}
