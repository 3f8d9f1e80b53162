from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bursar.services.platform.rules import PlatformRules
from bursar.vault import (
    KdfParameters,
    PrivateKey,
    derive,
    new_recovery_key,
    recovery_keys,
    unwrap_account_key,
)
from functions.admin.app import create_app
from tests.fakes.office import MASTER_KEY, Office
from tests.integration.asgi_client import client_of
from tests.integration.platform.people import (
    PASSWORD,
    derived_secrets,
    keyed_account,
    recovery_secrets,
)

if TYPE_CHECKING:
    import httpx2
    from fastapi import FastAPI

    from tests.contracts.stores import Ports
    from tests.integration.platform.conftest import SignedIn

ACCOUNTS = "/api/v1/accounts/"
EMAIL = "ada@example.com"
NEW_PASSWORD = "a new long password"
KEY = PrivateKey.generate()


async def with_password(app: FastAPI, admin: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """Somebody whom a published client has signed up and signed in."""
    await admin.post(ACCOUNTS, json={"email": EMAIL, "password": PASSWORD})
    return client_of(app, authorization=f"Bearer {await token(admin, PASSWORD)}")


async def log_in(client: httpx2.AsyncClient, password: str) -> httpx2.Response:
    form = {"username": EMAIL, "password": password}
    return await client.post("/api/v1/login/access-token", data=form)


async def token(client: httpx2.AsyncClient, password: str) -> str:
    text: str = (await log_in(client, password)).json()["access_token"]
    return text


async def kdf_of(client: httpx2.AsyncClient) -> KdfParameters:
    answer = await client.post("/api/v1/login/parameters", json={"email": EMAIL})
    return KdfParameters.parse(answer.json()["kdf"])


async def test_the_administrator_makes_accounts_and_nobody_else(
    admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient, signed_in: SignedIn
) -> None:
    body = {"email": " Ada@Example.com", "password": PASSWORD}

    assert (await anybody.post(ACCOUNTS, json=body)).status_code == 401
    person = await signed_in("grace@example.com")
    assert (await person.post(ACCOUNTS, json=body)).status_code == 401
    assert (await person.get(ACCOUNTS)).status_code == 401
    made = await admin.post(ACCOUNTS, json=body)
    assert made.status_code == 201
    assert made.json() == {
        "id": made.json()["id"],
        "email": EMAIL,
        "account_public_key": None,
        "created_at": "2026-01-10T12:00:00.000000Z",
        "updated_at": "2026-01-10T12:00:00.000000Z",
    }


async def test_an_email_has_one_account_however_it_is_written(admin: httpx2.AsyncClient) -> None:
    composed, decomposed = "andr\u00e9@example.com", "ANDRE\u0301@Example.COM "
    await admin.post(ACCOUNTS, json=keyed_account(composed, KEY))

    again = await admin.post(ACCOUNTS, json=keyed_account(decomposed, KEY))

    assert again.status_code == 409
    assert again.json()["detail"] == "There is an account with this email"


async def test_of_many_who_want_an_email_at_once_one_gets_it(admin: httpx2.AsyncClient) -> None:
    answers = await asyncio.gather(
        *[admin.post(ACCOUNTS, json=keyed_account(EMAIL, KEY)) for _ in range(8)]
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert (await admin.get(ACCOUNTS)).json()["count"] == 1


async def test_accounts_are_listed_by_the_page(
    admin: httpx2.AsyncClient, signed_in: SignedIn
) -> None:
    for name in ("ada", "grace", "mary"):
        await signed_in(f"{name}@example.com")

    whole = (await admin.get(ACCOUNTS)).json()
    page = (await admin.get(ACCOUNTS, params={"skip": 1, "limit": 1})).json()

    assert whole["count"] == page["count"] == 3
    assert page["data"] == whole["data"][1:2]
    assert "verifier" not in str(whole)


@pytest.mark.parametrize(
    "body",
    [
        {"email": "nobody", "password": PASSWORD},
        {"email": "a b@example.com", "password": PASSWORD},
        {"email": "@example.com", "password": PASSWORD},
        {"email": EMAIL, "password": "too short"},
        {"email": EMAIL, "password": "x" * 1025},
        {"email": EMAIL, "password": ["too short"]},
        {"email": EMAIL},
        {**keyed_account(EMAIL, KEY), "password": PASSWORD},
        {**keyed_account(EMAIL, KEY), "login_value": PASSWORD},
        {**keyed_account(EMAIL, KEY), "recovery_login_value": PASSWORD},
        {**keyed_account(EMAIL, KEY), "wrapped_account_key": PASSWORD},
        {**keyed_account(EMAIL, KEY), "kdf": "argon2id$m=8,t=1,p=1$AAAA"},
        {**keyed_account(EMAIL, KEY), "kdf": str(KdfParameters(passes=16, salt=bytes(16)))},
        {**keyed_account(EMAIL, KEY), "account_public_key": PASSWORD},
        {"email": EMAIL, "login_value": 5, "kdf": PASSWORD},
        [PASSWORD],
    ],
)
async def test_what_makes_no_account_is_refused_without_being_repeated(
    admin: httpx2.AsyncClient, body: Any
) -> None:
    answer = await admin.post(ACCOUNTS, json=body)

    assert answer.status_code in {400, 422}
    assert PASSWORD not in answer.text
    assert "too short" not in answer.text
    assert (await admin.get(ACCOUNTS)).json()["count"] == 0


async def test_a_body_that_is_no_json_is_not_repeated(admin: httpx2.AsyncClient) -> None:
    answer = await admin.post(ACCOUNTS, content=PASSWORD.encode())

    assert answer.status_code == 422
    assert PASSWORD not in answer.text


async def test_where_sign_up_is_open_anybody_may_but_not_often(ports: Ports) -> None:
    office = Office(
        platform=ports.platform,
        rate_limiter=ports.rate_limiter,
        rules=PlatformRules(sign_up_open=True),
    )
    app = create_app(office.services, office.platform)

    async with client_of(app) as anybody, client_of(app, **{"x-api-key": MASTER_KEY}) as admin:
        answers = [
            await anybody.post(ACCOUNTS, json=keyed_account(f"{name}@example.com", KEY))
            for name in range(11)
        ]
        under_the_master_key = await admin.post(ACCOUNTS, json=keyed_account(EMAIL, KEY))

    assert [answer.status_code for answer in answers] == [201] * 10 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert under_the_master_key.status_code == 201


async def test_an_account_tells_its_owner_who_they_are(signed_in: SignedIn) -> None:
    me = await signed_in(EMAIL)

    answer = await me.get("/api/v1/accounts/me")

    assert answer.status_code == 200
    assert answer.json()["email"] == EMAIL


async def test_an_account_key_is_unwrapped_by_its_owner_only(
    admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    await admin.post(ACCOUNTS, json=keyed_account(EMAIL, KEY, password=PASSWORD))
    keys = derive(PASSWORD, await kdf_of(anybody))
    body = {"email": EMAIL, "login_value": keys.login_value}

    answer = (await anybody.post("/api/v1/login/derived", json=body)).json()

    assert answer["account_public_key"] == str(KEY.public)
    wrapped = answer["wrapped_account_key"]
    assert unwrap_account_key(wrapped, keys.wrapping_key, account_id=EMAIL) == KEY
    # A published client may use the same account: the server derives the same login value.
    assert (await log_in(anybody, PASSWORD)).json()["wrapped_account_key"] == wrapped


async def test_a_new_password_ends_every_session(
    app: FastAPI, office: Office, admin: httpx2.AsyncClient
) -> None:
    me = await with_password(app, admin)
    other = client_of(app, authorization=f"Bearer {await token(admin, PASSWORD)}")
    office.wait(seconds=1)
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}

    assert (await me.post("/api/v1/accounts/me/password", json=change)).status_code == 200

    assert (await me.get("/api/v1/accounts/me")).status_code == 401
    assert (await other.get("/api/v1/accounts/me")).status_code == 401
    assert (await log_in(admin, PASSWORD)).status_code == 401
    assert (await log_in(admin, NEW_PASSWORD)).status_code == 200


async def test_a_password_is_not_changed_by_who_has_a_token_only(
    app: FastAPI, office: Office, admin: httpx2.AsyncClient
) -> None:
    me = await with_password(app, admin)
    change = {"current_password": "another password", "new_password": NEW_PASSWORD}
    failures_max = office.platform.rules.login_failures_max

    answers = await asyncio.gather(
        *[me.post("/api/v1/accounts/me/password", json=change) for _ in range(failures_max + 3)]
    )

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(401) == failures_max
    assert set(statuses) == {401, 429}
    office.wait(seconds=office.platform.rules.login_lock_s)
    assert (await log_in(admin, PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"current_password": PASSWORD},
        {"current_password": PASSWORD, "new_password": "too short"},
        {"current_login_value": PASSWORD},
        {**derived_secrets(EMAIL, KEY)},
        {"new_password": NEW_PASSWORD, "current_login_value": PASSWORD},
        {
            "current_password": PASSWORD,
            "new_password": NEW_PASSWORD,
            "current_login_value": PASSWORD,
            **derived_secrets(EMAIL, KEY),
        },
    ],
)
async def test_half_a_change_of_password_is_none(
    signed_in: SignedIn, change: dict[str, str]
) -> None:
    me = await signed_in(EMAIL)

    answer = await me.post("/api/v1/accounts/me/password", json=change)

    assert answer.status_code == 422
    assert PASSWORD not in answer.text
    assert (await me.get("/api/v1/accounts/me")).status_code == 200


async def test_a_password_that_wraps_a_key_is_changed_where_the_key_is_known(
    office: Office, app: FastAPI, admin: httpx2.AsyncClient
) -> None:
    account = keyed_account(EMAIL, KEY, password=PASSWORD)
    await admin.post(ACCOUNTS, json=account)
    me = client_of(app, authorization=f"Bearer {await token(admin, PASSWORD)}")
    plain = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    fresh = derived_secrets(EMAIL, KEY, NEW_PASSWORD)
    wrong = {"current_login_value": fresh["login_value"], **fresh}
    right = {"current_login_value": account["login_value"], **fresh}
    office.wait(seconds=1)

    refused = await me.post("/api/v1/accounts/me/password", json=plain)
    assert refused.status_code == 409
    assert "bursar account password" in refused.json()["detail"]
    assert (await me.post("/api/v1/accounts/me/password", json=wrong)).status_code == 401
    assert (await me.post("/api/v1/accounts/me/password", json=right)).status_code == 200

    assert (await me.get("/api/v1/accounts/me")).status_code == 401
    answer = (await log_in(admin, NEW_PASSWORD)).json()
    wrapping_key = derive(NEW_PASSWORD, await kdf_of(admin)).wrapping_key
    assert unwrap_account_key(answer["wrapped_account_key"], wrapping_key, account_id=EMAIL) == KEY


async def test_a_published_clients_account_is_given_a_key_once(
    office: Office, app: FastAPI, admin: httpx2.AsyncClient
) -> None:
    me = await with_password(app, admin)
    current = derive(PASSWORD, await kdf_of(admin)).login_value
    body = {**keyed_account(EMAIL, KEY, password=PASSWORD), "current_login_value": current}
    without_proof = {**body, "current_login_value": body["login_value"]}
    office.wait(seconds=1)

    wrapped_too_early = {"current_login_value": current, **derived_secrets(EMAIL, KEY)}
    answer = await me.post("/api/v1/accounts/me/password", json=wrapped_too_early)
    assert answer.status_code == 409
    assert (await me.post("/api/v1/accounts/me/key", json=without_proof)).status_code == 401
    assert (await me.post("/api/v1/accounts/me/key", json=body)).status_code == 200

    assert (await me.get("/api/v1/accounts/me")).status_code == 401
    signed_in = (await log_in(admin, PASSWORD)).json()
    assert signed_in["account_public_key"] == str(KEY.public)
    again = client_of(app, authorization=f"Bearer {signed_in['access_token']}")
    assert (await again.post("/api/v1/accounts/me/key", json=body)).status_code == 409


async def test_the_recovery_key_sets_a_new_password_and_keeps_the_account_key(
    office: Office, app: FastAPI, admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    recovery_key = new_recovery_key()
    account = keyed_account(EMAIL, KEY, recovery_key=recovery_key)
    await admin.post(ACCOUNTS, json=account)
    login = {"email": EMAIL, "login_value": account["login_value"]}
    known = recovery_keys(recovery_key)
    proof = {"email": EMAIL, "recovery_login_value": known.login_value}
    session = (await anybody.post("/api/v1/login/derived", json=login)).json()["access_token"]
    office.wait(seconds=1)

    kept = (await anybody.post("/api/v1/accounts/recovery", json=proof)).json()
    wrapped = kept["recovery_wrapped_account_key"]
    assert unwrap_account_key(wrapped, known.wrapping_key, account_id=EMAIL) == KEY
    assert kept["account_public_key"] == str(KEY.public)
    fresh = recovery_secrets(EMAIL, KEY)
    body = {
        **proof,
        **derived_secrets(EMAIL, KEY, NEW_PASSWORD),
        "recovery_login_value_new": fresh["recovery_login_value"],
        "recovery_wrapped_account_key": fresh["recovery_wrapped_account_key"],
    }
    done = await anybody.post("/api/v1/accounts/recovery/complete", json=body)

    assert done.status_code == 200, done.text
    assert (await log_in(anybody, NEW_PASSWORD)).status_code == 200
    assert (await anybody.post("/api/v1/login/derived", json=login)).status_code == 401
    assert (await anybody.post("/api/v1/accounts/recovery", json=proof)).status_code == 401
    old = client_of(app, authorization=f"Bearer {session}")
    assert (await old.get("/api/v1/accounts/me")).status_code == 401


async def test_recovery_cannot_be_guessed_and_does_not_tell_who_has_an_account(
    office: Office, app: FastAPI, admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    await with_password(app, admin)
    guesses = [
        {"email": email, "recovery_login_value": "wrong"} for email in (EMAIL, "no@example.com")
    ]

    without_key, unknown = [
        await anybody.post("/api/v1/accounts/recovery", json=guess) for guess in guesses
    ]
    assert without_key.status_code == unknown.status_code == 401
    assert without_key.json() == unknown.json()
    complete = {
        **guesses[0],
        **derived_secrets(EMAIL, KEY),
        "recovery_login_value_new": recovery_secrets(EMAIL, KEY)["recovery_login_value"],
        "recovery_wrapped_account_key": recovery_secrets(EMAIL, KEY)[
            "recovery_wrapped_account_key"
        ],
    }
    for _ in range(office.platform.rules.login_failures_max - 1):
        answer = await anybody.post("/api/v1/accounts/recovery/complete", json=complete)
        assert answer.status_code == 401
    answer = await anybody.post("/api/v1/accounts/recovery", json=guesses[0])
    assert answer.status_code == 429


async def test_an_account_can_be_deleted_and_its_email_used_again(
    signed_in: SignedIn, admin: httpx2.AsyncClient
) -> None:
    me = await signed_in(EMAIL)

    assert (await me.delete("/api/v1/accounts/me")).status_code == 200
    assert (await me.get("/api/v1/accounts/me")).status_code == 401
    again = await signed_in(EMAIL)
    account_id = (await again.get("/api/v1/accounts/me")).json()["id"]
    assert (await anyone_deletes(again, account_id)).status_code == 401
    assert (await anyone_deletes(admin, account_id)).status_code == 200
    assert (await anyone_deletes(admin, account_id)).status_code == 404
    assert (await again.get("/api/v1/accounts/me")).status_code == 401


async def anyone_deletes(client: httpx2.AsyncClient, account_id: str) -> httpx2.Response:
    return await client.delete(f"/api/v1/accounts/{account_id}")


async def test_the_only_owner_of_a_project_does_not_leave_it_behind(
    signed_in: SignedIn, admin: httpx2.AsyncClient
) -> None:
    me, successor = await signed_in(EMAIL), await signed_in("grace@example.com")
    account_id = (await me.get("/api/v1/accounts/me")).json()["id"]
    project = (await me.post("/api/v1/projects/", json={"name": "web"})).json()["id"]

    for answer in (
        await me.delete("/api/v1/accounts/me"),
        await anyone_deletes(admin, account_id),
    ):
        assert answer.status_code == 409
        assert "owner" in answer.json()["detail"]
    member = {"email": "grace@example.com", "role": "owner"}
    await me.post(f"/api/v1/projects/{project}/members", json=member)

    assert (await me.delete("/api/v1/accounts/me")).status_code == 200
    members = (await successor.get(f"/api/v1/projects/{project}/members")).json()
    assert [each["email"] for each in members["data"]] == ["grace@example.com"]


@pytest.mark.parametrize(
    "presented", ["", "Bearer", "Bearer ", "Bearer bst-x", "Basic x", "Bearer gw-", MASTER_KEY]
)
async def test_what_is_no_token_signs_nobody_in(app: FastAPI, presented: str) -> None:
    async with client_of(app, authorization=presented) as client:
        answer = await client.get("/api/v1/accounts/me")

    assert answer.status_code == 401
    assert isinstance(answer.json()["detail"], str)
