"""The platform API over each store, called as its clients call it."""

from __future__ import annotations

import secrets
from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bursar.domain.proofs import Session, new_session_token, proof_digest
from bursar.store.connect import connect
from bursar.vault import (
    KdfParameters,
    PrivateKey,
    new_recovery_key,
    recovery_keys,
    wrap_account_key,
)
from functions.admin.app import create_app
from tests.contracts.stores import dynamo_ports, memory_ports, new_table
from tests.fakes.office import MASTER_KEY, Office
from tests.integration.platform.clients import client_of
from tests.integration.platform.direct import Direct, direct_project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import httpx2
    from fastapi import FastAPI

    from tests.contracts.stores import Ports

    SignedIn = Callable[[str], Awaitable[httpx2.AsyncClient]]
    Proven = Callable[[str, str], Awaitable[httpx2.AsyncClient]]

PASSWORD = "correct horse battery staple"


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


def derived_secrets(email: str, key: PrivateKey) -> dict[str, str]:
    """What a client sends in a password's place. No password is stretched, which takes long."""
    login_value, wrapping_key = secrets.token_bytes(32), secrets.token_bytes(32)
    return {
        "kdf": str(KdfParameters.fresh()),
        "login_value": b64encode(login_value).decode(),
        "wrapped_account_key": wrap_account_key(key, wrapping_key, account_id=email),
    }


def recovery_secrets(
    email: str, key: PrivateKey, recovery_key: str | None = None
) -> dict[str, str]:
    """What a client sends in a recovery key's place."""
    keys = recovery_keys(recovery_key or new_recovery_key())
    wrapped = wrap_account_key(key, keys.wrapping_key, account_id=email)
    return {"recovery_login_value": keys.login_value, "recovery_wrapped_account_key": wrapped}


@pytest.fixture
def signed_in(app: FastAPI, admin: httpx2.AsyncClient) -> SignedIn:
    """Makes an account with a key of its own, signs it in, and gives a client with its token."""

    async def sign_in(email: str) -> httpx2.AsyncClient:
        key = PrivateKey.generate()
        body = {"email": email, "account_public_key": str(key.public)}
        body |= derived_secrets(email, key) | recovery_secrets(email, key)
        made = await admin.post("/api/v1/accounts/", json=body)
        assert made.status_code == 201, made.text
        proof = {"email": email, "login_value": body["login_value"]}
        answer = await admin.post("/api/v1/login/derived", json=proof)
        return client_of(app, authorization=f"Bearer {answer.json()['access_token']}")

    return sign_in


@pytest.fixture
def proven(app: FastAPI, office: Office) -> Proven:
    """Gives a client with a project's token, as if it had opened the vault of that public key."""

    async def prove(project_id: str, public_key: str) -> httpx2.AsyncClient:
        token = new_session_token()
        ends_at = office.now + timedelta(seconds=office.platform.rules.project_token_s)
        session = Session(
            proof_digest(token), office.now, ends_at, project_id=project_id, public_key=public_key
        )
        await office.platform.platform.proofs.open(session)
        return client_of(app, authorization=f"Bearer {token}")

    return prove


@pytest.fixture
async def direct(office: Office, app: FastAPI) -> Direct:
    return await direct_project(office, app)
