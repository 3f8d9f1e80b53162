"""The platform API over each store, called as its clients call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from bursar.store.connect import connect
from functions.admin.app import create_app
from tests.contracts.stores import dynamo_ports, memory_ports, new_table
from tests.fakes.office import MASTER_KEY, Office

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fastapi import FastAPI

    from tests.contracts.stores import Ports

    SignedIn = Callable[[str], Awaitable[httpx2.AsyncClient]]

PASSWORD = "correct horse battery staple"


def client_of(app: FastAPI, **headers: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app)
    return httpx2.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)


@pytest.fixture(params=["memory", "dynoxide"])
async def ports(request: pytest.FixtureRequest) -> AsyncIterator[Ports]:
    if request.param == "memory":
        yield memory_ports()
        return
    call = connect({"DYNAMODB_ENDPOINT": request.getfixturevalue("dynoxide")})
    yield dynamo_ports(call, await new_table(call))
    await call.close()


@pytest.fixture
def office(ports: Ports) -> Office:
    return Office(
        ports.directory,
        ports.ledger,
        ports.usage_log,
        ports.reset_log,
        platform=ports.platform,
        rate_limiter=ports.rate_limiter,
    )


@pytest.fixture
def app(office: Office) -> FastAPI:
    return create_app(office.services, office.platform)


@pytest.fixture
async def admin(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app, authorization=f"Bearer {MASTER_KEY}") as client:
        yield client


@pytest.fixture
async def anybody(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that presents no credential."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
def signed_in(app: FastAPI, admin: httpx2.AsyncClient) -> SignedIn:
    """Makes an account, signs it in, and gives a client with its token."""

    async def sign_in(email: str) -> httpx2.AsyncClient:
        made = await admin.post("/api/v1/accounts/", json={"email": email, "password": PASSWORD})
        assert made.status_code == 201, made.text
        form = {"username": email, "password": PASSWORD}
        token = (await admin.post("/api/v1/login/access-token", data=form)).json()["access_token"]
        return client_of(app, authorization=f"Bearer {token}")

    return sign_in
