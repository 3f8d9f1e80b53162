from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx2
import pytest

from bursar.vault import KdfParameters, PrivateKey, derive
from tests.integration.asgi_client import client_of
from tests.integration.platform.people import PASSWORD, keyed_account

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

    from tests.fakes.office import Office
    from tests.integration.platform.conftest import SignedIn
    from tests.integration.platform.direct import Direct

EMAIL = "ada@example.com"
LOGIN = "/api/v1/login/access-token"
DERIVED = "/api/v1/login/derived"
ME = "/api/v1/accounts/me"


@pytest.fixture
async def account(admin: httpx2.AsyncClient) -> dict[str, str]:
    body = keyed_account(EMAIL, PrivateKey.generate(), password=PASSWORD)
    assert (await admin.post("/api/v1/accounts/", json=body)).status_code == 201
    return body


def from_address(app: FastAPI, host: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, client=(host, 1234))
    return httpx2.AsyncClient(transport=transport, base_url="http://gateway")


async def log_in(client: httpx2.AsyncClient, password: str, email: str = EMAIL) -> httpx2.Response:
    return await client.post(LOGIN, data={"username": email, "password": password})


async def guess(client: httpx2.AsyncClient, email: str = EMAIL) -> int:
    answer = await client.post(DERIVED, json={"email": email, "login_value": "wrong"})
    return answer.status_code


async def test_a_published_client_signs_in_as_it_always_has(
    app: FastAPI, admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    await admin.post("/api/v1/accounts/", json={"email": EMAIL, "password": PASSWORD})

    answer = await log_in(anybody, PASSWORD, " ADA@example.com ")

    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] >= 86_400
    assert body["account_public_key"] is body["wrapped_account_key"] is None
    assert "no-store" in answer.headers["cache-control"]
    me = client_of(app, authorization=f"Bearer {body['access_token']}")
    assert (await me.get(ME)).json()["email"] == EMAIL


async def test_a_wrong_password_and_an_unknown_email_look_alike(
    account: dict[str, str], anybody: httpx2.AsyncClient
) -> None:
    wrong = await log_in(anybody, "another password")
    unknown = await log_in(anybody, "another password", "nobody@example.com")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["detail"] == "Invalid credentials"
    assert wrong.headers.keys() == unknown.headers.keys()


async def test_parameters_are_given_for_every_email_and_stay_the_same(
    account: dict[str, str], anybody: httpx2.AsyncClient
) -> None:
    async def kdf(email: str) -> str:
        answer = await anybody.post("/api/v1/login/parameters", json={"email": email})
        assert answer.status_code == 200
        text: str = answer.json()["kdf"]
        return text

    assert await kdf(f" {EMAIL.upper()}") == account["kdf"]
    unknown = await kdf("nobody@example.com")
    assert unknown == await kdf("Nobody@example.com")
    assert unknown != await kdf("nobody@example.org")
    fake, real = KdfParameters.parse(unknown), KdfParameters.parse(account["kdf"])
    assert (fake.memory_kib, fake.passes) == (real.memory_kib, real.passes)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"username=ada%40example.com",
        b"username=ada%40example.com&password=",
        b"username=&password=" + PASSWORD.encode(),
        b"username=" + b"a" * 3000 + b"&password=" + PASSWORD.encode(),
        b"username=ada%40example.com&password=" + b"a" * 1025,
        b"&".join([b"x=1"] * 30),
        b'{"username": "ada@example.com", "password": "' + PASSWORD.encode() + b'"}',
    ],
)
async def test_what_is_no_login_form_is_refused_without_being_repeated(
    anybody: httpx2.AsyncClient, body: bytes
) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}

    answer = await anybody.post(LOGIN, content=body, headers=headers)

    assert answer.status_code == 422
    assert PASSWORD not in answer.text


async def test_a_login_form_is_not_read_without_end(anybody: httpx2.AsyncClient) -> None:
    answer = await log_in(anybody, "x" * 20_000)

    assert answer.status_code == 413


async def test_of_many_wrong_guesses_at_once_no_more_are_looked_at_than_allowed(
    office: Office, account: dict[str, str], anybody: httpx2.AsyncClient
) -> None:
    rules = office.platform.rules

    statuses = await asyncio.gather(*[guess(anybody) for _ in range(50)])

    assert statuses.count(401) == rules.login_failures_max
    assert set(statuses) == {401, 429}
    locked = await log_in(anybody, PASSWORD)
    assert locked.status_code == 429
    assert 0 < int(locked.headers["retry-after"]) <= rules.login_lock_s
    office.wait(seconds=int(locked.headers["retry-after"]))
    assert (await log_in(anybody, PASSWORD)).status_code == 200


async def test_unknown_emails_are_locked_like_any_other(
    office: Office, anybody: httpx2.AsyncClient
) -> None:
    rules = office.platform.rules

    statuses = [
        await guess(anybody, "nobody@example.com") for _ in range(rules.login_failures_max + 1)
    ]

    assert statuses == [401] * rules.login_failures_max + [429]


async def test_signing_in_well_never_locks(
    office: Office, account: dict[str, str], anybody: httpx2.AsyncClient
) -> None:
    right = {"email": EMAIL, "login_value": account["login_value"]}
    assert (
        account["login_value"] == derive(PASSWORD, KdfParameters.parse(account["kdf"])).login_value
    )

    for _ in range(office.platform.rules.login_failures_max + 3):
        assert (await anybody.post(DERIVED, json=right)).status_code == 200


async def test_one_address_that_guesses_at_many_accounts_is_locked_out(
    app: FastAPI, office: Office, account: dict[str, str]
) -> None:
    most = office.platform.rules.login_source_failures_max
    async with from_address(app, "2001:db8:1:2::1") as guesser:
        statuses = [await guess(guesser, f"{name}@example.com") for name in range(most + 1)]

    assert statuses == [401] * most + [429]
    async with from_address(app, "2001:db8:1:2:ffff::2") as neighbour:
        assert (await log_in(neighbour, PASSWORD)).status_code == 429
    async with from_address(app, "2001:db8:1:3::1") as stranger:
        assert (await log_in(stranger, PASSWORD)).status_code == 200


async def test_addresses_of_which_nothing_is_known_may_sign_in(
    app: FastAPI, account: dict[str, str]
) -> None:
    async def without_address(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "client": None}, receive, send)

    transport = httpx2.ASGITransport(app=without_address)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        assert (await log_in(client, PASSWORD)).status_code == 200


async def test_stretching_passwords_stops_nobody_else(
    account: dict[str, str], anybody: httpx2.AsyncClient
) -> None:
    logins = asyncio.gather(*[log_in(anybody, "another password") for _ in range(4)])

    turns = 0
    while not logins.done():
        await asyncio.sleep(0)
        turns += 1

    assert {answer.status_code for answer in await logins} == {401}
    # Stretched on this loop they would leave it the few turns that the rest of a login takes.
    assert turns > 1_000


async def test_a_session_ends_by_word_and_by_time(
    app: FastAPI, office: Office, signed_in: SignedIn, anybody: httpx2.AsyncClient
) -> None:
    ends, goes_on = await signed_in(EMAIL), await signed_in("grace@example.com")

    assert (await ends.post("/api/v1/logout")).status_code == 200
    assert (await ends.get(ME)).status_code == 401
    assert (await ends.post("/api/v1/logout")).status_code == 401
    office.wait(seconds=office.platform.rules.session_s - 1)
    assert (await goes_on.get(ME)).status_code == 200
    office.wait(seconds=1)
    assert (await goes_on.get(ME)).status_code == 401


async def test_a_projects_token_signs_no_person_in(direct: Direct, app: FastAPI) -> None:
    client = await direct.client()

    assert (await client.get(ME)).status_code == 401
    assert (await client.get("/api/v1/projects/")).status_code == 401


async def test_nothing_that_signs_in_is_stored(
    office: Office, account: dict[str, str], anybody: httpx2.AsyncClient
) -> None:
    token = (await log_in(anybody, PASSWORD)).json()["access_token"]

    person = await office.platform.sign_in.find(EMAIL)

    assert person is not None
    for secret in (PASSWORD, account["login_value"], account["recovery_login_value"], token):
        assert secret not in repr(person)
    signed_in = await office.platform.sign_in.by_login_value(EMAIL, account["login_value"], "here")
    assert signed_in.token not in repr(signed_in)
