"""The management API over each store, called as a client calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bursar.store.connect import connect
from functions.admin.app import create_app
from functions.admin.settings import AdminSettings
from tests.contracts.stores import dynamo_ports, memory_ports, new_table
from tests.fakes.office import MASTER_KEY, Office
from tests.integration.asgi_client import client_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx2
    from fastapi import FastAPI

    from tests.contracts.stores import Ports


__all__ = ["client_of"]


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
        audit_log=ports.audit_log,
    )


@pytest.fixture
def app(office: Office) -> FastAPI:
    return create_app(office.services, office.platform, AdminSettings(version="1.2.3"))


@pytest.fixture
async def admin(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app, authorization=f"Bearer {MASTER_KEY}") as client:
        yield client


@pytest.fixture
async def anybody(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that presents no credential."""
    async with client_of(app) as client:
        yield client
