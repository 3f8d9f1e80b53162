"""Every route of the platform, as its document lists them, asked by those who may not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.people import Role
from functions.admin.app import create_app
from tests.fakes.office import MASTER_KEY, Office
from tests.integration.asgi_client import client_of
from tests.integration.platform.direct import Direct, direct_project
from tests.integration.platform.rig import join, sign_in

if TYPE_CHECKING:
    import httpx2
    from fastapi import FastAPI


@dataclass(frozen=True)
class Route:
    """One operation of the document.

    Attributes:
        scheme: `Person`, `Project`, another, or None where anybody may ask.
        body: an example of what it takes.
    """

    method: str
    path: str
    scheme: str | None
    body: Any = field(compare=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    async def ask(self, client: httpx2.AsyncClient, direct: Direct) -> httpx2.Response:
        real = {
            "project_id": direct.project_id,
            "client_id": direct.client_id,
            "provider_key_id": direct.key_id,
            "provider": "openai",
            "period": "daily",
        }
        names = [part[1:-1] for part in self.path.split("/") if part.startswith("{")]
        path = self.path.format(**{name: real.get(name, "x") for name in names})
        body = self.body
        if isinstance(body, dict) and "project_id" in body:
            body = {**body, "project_id": direct.project_id}
        return await client.request(self.method, path, json=body)


def _routes() -> list[Route]:
    office = Office()
    document = create_app(office.services, office.platform).openapi()
    return [
        Route(method.upper(), path, _scheme(operation), _body(document, operation))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if path.startswith(("/api/v1/", "/v1/traces"))
    ]


def _scheme(operation: dict[str, Any]) -> str | None:
    return next((name for each in operation.get("security", []) for name in each), None)


def _body(document: dict[str, Any], operation: dict[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    schema = document["components"]["schemas"].get(reference.rpartition("/")[2], {})
    return schema.get("examples", [{}])[0]


ROUTES = _routes()
OF_PEOPLE = [route for route in ROUTES if route.scheme == "Person"]
OF_PROJECTS = [route for route in ROUTES if route.scheme == "Project"]
OF_A_PROJECT = [
    route
    for route in OF_PEOPLE
    if "{project_id}" in route.path or route.path.startswith("/api/v1/provider-keys/")
]
ALL = [pytest.param(route, id=str(route)) for route in OF_PEOPLE + OF_PROJECTS]


@pytest.fixture
def office() -> Office:
    """No test here depends on the store."""
    return Office()


@pytest.fixture
def app(office: Office) -> FastAPI:
    return create_app(office.services, office.platform)


@pytest.fixture
async def direct(office: Office, app: FastAPI) -> Direct:
    direct = await direct_project(office, app)
    await office.platform.platform.links.claim("provider-key", direct.key_id, direct.project_id)
    return direct


def test_every_route_says_who_may_ask() -> None:
    anybody = {str(route) for route in ROUTES if route.scheme is None}

    assert anybody == {
        "POST /api/v1/login/access-token",
        "POST /api/v1/login/parameters",
        "POST /api/v1/login/derived",
        "POST /api/v1/accounts/recovery",
        "POST /api/v1/accounts/recovery/complete",
        "POST /api/v1/auth/",
        "POST /api/v1/auth/token",
        "GET /api/v1/leases/keys",
    }
    assert len(OF_A_PROJECT) > 30
    assert len(OF_PROJECTS) > 4


@pytest.mark.parametrize("route", ALL)
async def test_nobody_is_served_without_a_token_of_the_right_kind(
    route: Route, app: FastAPI, office: Office, direct: Direct
) -> None:
    person = (await sign_in(app, office, "ada")).client.headers["authorization"]
    project = f"Bearer {await direct.token()}"
    wrong_kind = project if route.scheme == "Person" else person
    for presented in ("", "Bearer ", "Bearer bst-x", f"Bearer {MASTER_KEY}", wrong_kind):
        async with client_of(app, authorization=presented) as client:
            answer = await route.ask(client, direct)

        assert answer.status_code == 401, presented
        assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize("route", OF_A_PROJECT, ids=str)
async def test_a_project_of_others_does_not_exist(
    route: Route, app: FastAPI, office: Office, direct: Direct
) -> None:
    owner, stranger = await sign_in(app, office, "ada"), await sign_in(app, office, "grace")
    await join(office, direct.project_id, owner.person, Role.OWNER)

    answer = await route.ask(stranger.client, direct)

    assert answer.status_code == 404, answer.text


@pytest.mark.parametrize("route", [each for each in OF_A_PROJECT if each.method != "GET"], ids=str)
async def test_who_may_read_only_changes_nothing(
    route: Route, app: FastAPI, office: Office, direct: Direct
) -> None:
    reader = await sign_in(app, office, "ada")
    await join(office, direct.project_id, reader.person, Role.READ_ONLY)

    answer = await route.ask(reader.client, direct)

    assert answer.status_code == 403, answer.text
