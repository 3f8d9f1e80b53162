"""The platform API over each store, called as its clients call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bursar.vault import PrivateKey
from functions.admin.app import create_app
from tests.fakes.office import MASTER_KEY, Office
from tests.integration.admin.conftest import office, ports
from tests.integration.asgi_client import client_of
from tests.integration.platform.direct import Direct, direct_project
from tests.integration.platform.people import keyed_account

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import httpx2
    from fastapi import FastAPI

    SignedIn = Callable[[str], Awaitable[httpx2.AsyncClient]]


__all__ = ["office", "ports"]


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
    """Makes an account with a key of its own, signs it in, and gives a client with its token."""

    async def sign_in(email: str) -> httpx2.AsyncClient:
        body = keyed_account(email, PrivateKey.generate())
        made = await admin.post("/api/v1/accounts/", json=body)
        assert made.status_code == 201, made.text
        proof = {"email": email, "login_value": body["login_value"]}
        answer = await admin.post("/api/v1/login/derived", json=proof)
        return client_of(app, authorization=f"Bearer {answer.json()['access_token']}")

    return sign_in


@pytest.fixture
async def direct(office: Office, app: FastAPI) -> Direct:
    return await direct_project(office, app)
