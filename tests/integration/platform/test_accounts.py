from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bursar.vault import (
    KdfParameters,
    PrivateKey,
    derive,
    new_recovery_key,
    recovery_keys,
    unwrap_account_key,
    wrap_account_key,
)
from tests.integration.platform.clients import client_of
from tests.integration.platform.conftest import PASSWORD

if TYPE_CHECKING:
    import httpx2
    from fastapi import FastAPI

    from tests.fakes.office import Office
    from tests.integration.platform.conftest import SignedIn

EMAIL = "ada@example.com"
KEY = PrivateKey.generate()


def _derived(password: str) -> dict[str, str]:
    kdf = KdfParameters.fresh()
    keys = derive(password, kdf)
    wrapped = wrap_account_key(KEY, keys.wrapping_key, account_id=EMAIL)
    return {"kdf": str(kdf), "login_value": keys.login_value, "wrapped_account_key": wrapped}


def _recovery(recovery_key: str) -> dict[str, str]:
    keys = recovery_keys(recovery_key)
    wrapped = wrap_account_key(KEY, keys.wrapping_key, account_id=EMAIL)
    return {
        "recovery_login_value": keys.login_value,
        "recovery_wrapped_account_key": wrapped,
    }


async def _with_key(admin: httpx2.AsyncClient) -> str:
    """An account whose password stays here; its recovery key."""
    recovery_key = new_recovery_key()
    body = {"email": EMAIL, "account_public_key": str(KEY.public)}
    body |= _derived(PASSWORD) | _recovery(recovery_key)
    made = await admin.post("/api/v1/accounts/", json=body)
    assert made.status_code == 201, made.text
    return recovery_key


async def _log_in(client: httpx2.AsyncClient, password: str) -> httpx2.Response:
    form = {"username": EMAIL, "password": password}
    return await client.post("/api/v1/login/access-token", data=form)


async def test_the_administrator_makes_accounts_and_nobody_else(
    admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    body = {"email": " Ada@Example.com", "password": PASSWORD}

    assert (await anybody.post("/api/v1/accounts/", json=body)).status_code == 401
    made = await admin.post("/api/v1/accounts/", json=body)
    assert made.status_code == 201
    assert made.json()["email"] == EMAIL
    again = await admin.post("/api/v1/accounts/", json={**body, "email": EMAIL})
    assert again.status_code == 409
    listed = (await admin.get("/api/v1/accounts/")).json()
    assert [each["email"] for each in listed["data"]] == [EMAIL]


async def test_of_many_who_want_an_email_at_once_one_gets_it(admin: httpx2.AsyncClient) -> None:
    body = {"email": EMAIL, "password": PASSWORD}

    answers = await asyncio.gather(*[admin.post("/api/v1/accounts/", json=body) for _ in range(3)])

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert (await admin.get("/api/v1/accounts/")).json()["count"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"email": "nobody", "password": PASSWORD},
        {"email": EMAIL, "password": "too short"},
        {"email": EMAIL},
        {"email": EMAIL, "password": ["not", PASSWORD]},
        {"email": EMAIL, "password": PASSWORD, "login_value": 5},
    ],
)
async def test_what_makes_no_account_is_refused_without_being_repeated(
    admin: httpx2.AsyncClient, body: dict[str, Any]
) -> None:
    answer = await admin.post("/api/v1/accounts/", json=body)

    assert answer.status_code in {400, 422}
    assert PASSWORD not in answer.text
    assert "too short" not in answer.text


async def test_sign_up_may_be_open(office: Office, anybody: httpx2.AsyncClient) -> None:
    object.__setattr__(office.platform.rules, "sign_up_open", True)

    answer = await anybody.post("/api/v1/accounts/", json={"email": EMAIL, "password": PASSWORD})

    assert answer.status_code == 201


async def test_a_password_signs_in_and_a_token_says_who_it_is(signed_in: SignedIn) -> None:
    me = await signed_in(EMAIL)

    answer = await me.get("/api/v1/accounts/me")

    assert answer.status_code == 200
    assert answer.json()["email"] == EMAIL


async def test_a_wrong_password_and_an_unknown_email_look_alike(
    admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    await admin.post("/api/v1/accounts/", json={"email": EMAIL, "password": PASSWORD})

    wrong = await _log_in(anybody, "another password")
    form = {"username": "nobody@example.com", "password": "another password"}
    unknown = await anybody.post("/api/v1/login/access-token", data=form)

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["detail"] == "Invalid credentials"
    asked = [
        (await anybody.post("/api/v1/login/parameters", json={"email": email})).json()["kdf"]
        for email in (EMAIL, "nobody@example.com", "nobody@example.com")
    ]
    assert asked[1] == asked[2]
    assert [each.partition("$")[0] for each in asked] == ["argon2id"] * 3


async def test_of_many_wrong_guesses_at_once_no_more_are_looked_at_than_allowed(
    office: Office, admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    await _with_key(admin)
    wrong = {"email": EMAIL, "login_value": "wrong"}

    answers = await asyncio.gather(
        *[anybody.post("/api/v1/login/derived", json=wrong) for _ in range(40)]
    )

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(401) == office.platform.rules.login_failures_max
    assert set(statuses) == {401, 429}
    locked = await _log_in(anybody, PASSWORD)
    assert locked.status_code == 429
    assert 0 < int(locked.headers["retry-after"]) <= office.platform.rules.login_lock_s
    office.wait(seconds=office.platform.rules.login_lock_s)
    assert (await _log_in(anybody, PASSWORD)).status_code == 200


async def test_signing_in_well_never_locks(
    office: Office, admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    await _with_key(admin)
    kdf = (await anybody.post("/api/v1/login/parameters", json={"email": EMAIL})).json()["kdf"]
    right = {
        "email": EMAIL,
        "login_value": derive(PASSWORD, KdfParameters.parse(kdf)).login_value,
    }

    for _ in range(office.platform.rules.login_failures_max + 3):
        assert (await anybody.post("/api/v1/login/derived", json=right)).status_code == 200


async def test_an_account_key_is_unwrapped_by_its_owner_only(
    admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient, office: Office
) -> None:
    await _with_key(admin)
    kdf = (await anybody.post("/api/v1/login/parameters", json={"email": EMAIL})).json()["kdf"]
    keys = derive(PASSWORD, KdfParameters.parse(kdf))
    body = {"email": EMAIL, "login_value": keys.login_value}

    answer = (await anybody.post("/api/v1/login/derived", json=body)).json()

    wrapped = answer["wrapped_account_key"]
    assert unwrap_account_key(wrapped, keys.wrapping_key, account_id=EMAIL) == KEY
    person = await office.platform.sign_in.find(EMAIL)
    assert person is not None
    assert keys.login_value not in repr(person)
    # A published client may use the same account: the server derives the same login value.
    assert (await _log_in(anybody, PASSWORD)).status_code == 200


async def test_a_session_ends_by_word_by_time_and_by_a_new_password(
    app: FastAPI, office: Office, signed_in: SignedIn, anybody: httpx2.AsyncClient
) -> None:
    first = await signed_in(EMAIL)
    token = (await _log_in(anybody, PASSWORD)).json()["access_token"]
    second = client_of(app, authorization=f"Bearer {token}")

    assert (await first.post("/api/v1/logout")).status_code == 200
    assert (await first.get("/api/v1/accounts/me")).status_code == 401
    office.wait(seconds=1)
    change = {"current_password": PASSWORD, "new_password": "a new long password"}
    assert (await second.post("/api/v1/accounts/me/password", json=change)).status_code == 200
    assert (await second.get("/api/v1/accounts/me")).status_code == 401
    assert (await _log_in(anybody, PASSWORD)).status_code == 401
    token = (await _log_in(anybody, "a new long password")).json()["access_token"]
    third = client_of(app, authorization=f"Bearer {token}")
    assert (await third.get("/api/v1/accounts/me")).status_code == 200
    office.wait(seconds=office.platform.rules.session_s)
    assert (await third.get("/api/v1/accounts/me")).status_code == 401


async def test_the_recovery_key_sets_a_new_password_and_keeps_the_account_key(
    admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    known = recovery_keys(await _with_key(admin))
    proof = {"email": EMAIL, "recovery_login_value": known.login_value}
    wrong = {**proof, "recovery_login_value": "wrong"}

    assert (await anybody.post("/api/v1/accounts/recovery", json=wrong)).status_code == 401
    kept = (await anybody.post("/api/v1/accounts/recovery", json=proof)).json()
    wrapped = kept["recovery_wrapped_account_key"]
    assert unwrap_account_key(wrapped, known.wrapping_key, account_id=EMAIL) == KEY
    fresh = _recovery(new_recovery_key())
    body = {
        **proof,
        **_derived("a new long password"),
        "recovery_login_value_new": fresh["recovery_login_value"],
        "recovery_wrapped_account_key": fresh["recovery_wrapped_account_key"],
    }
    done = await anybody.post("/api/v1/accounts/recovery/complete", json=body)

    assert done.status_code == 200, done.text
    assert (await _log_in(anybody, "a new long password")).status_code == 200
    assert (await _log_in(anybody, PASSWORD)).status_code == 401
    assert (await anybody.post("/api/v1/accounts/recovery", json=proof)).status_code == 401


async def test_an_account_with_a_key_is_not_changed_by_plain_passwords(
    app: FastAPI, admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    await _with_key(admin)
    token = (await _log_in(anybody, PASSWORD)).json()["access_token"]
    me = client_of(app, authorization=f"Bearer {token}")
    change = {"current_password": PASSWORD, "new_password": "a new long password"}

    assert (await me.post("/api/v1/accounts/me/password", json=change)).status_code == 409


async def test_a_published_clients_account_can_be_given_a_key(
    signed_in: SignedIn, anybody: httpx2.AsyncClient
) -> None:
    me = await signed_in(EMAIL)
    kdf = (await anybody.post("/api/v1/login/parameters", json={"email": EMAIL})).json()["kdf"]
    current = derive(PASSWORD, KdfParameters.parse(kdf)).login_value
    body = {
        "current_login_value": current,
        "account_public_key": str(KEY.public),
        **_derived(PASSWORD),
        **_recovery(new_recovery_key()),
    }

    assert (await me.post("/api/v1/accounts/me/key", json=body)).status_code == 200
    answer = (await _log_in(anybody, PASSWORD)).json()
    assert answer["account_public_key"] == str(KEY.public)


async def test_an_account_can_be_deleted_and_its_email_used_again(
    signed_in: SignedIn, admin: httpx2.AsyncClient
) -> None:
    me = await signed_in(EMAIL)

    assert (await me.delete("/api/v1/accounts/me")).status_code == 200
    assert (await me.get("/api/v1/accounts/me")).status_code == 401
    again = await signed_in(EMAIL)
    account_id = (await again.get("/api/v1/accounts/me")).json()["id"]
    assert (await admin.delete(f"/api/v1/accounts/{account_id}")).status_code == 200
    assert (await admin.delete(f"/api/v1/accounts/{account_id}")).status_code == 404


@pytest.mark.parametrize(
    "token", ["", "Bearer", "Bearer ", "Bearer bst-x", "Basic x", "Bearer gw-"]
)
async def test_what_is_no_token_signs_nobody_in(app: FastAPI, token: str) -> None:
    async with client_of(app, authorization=token) as client:
        answer = await client.get("/api/v1/accounts/me")

    assert answer.status_code == 401
    assert isinstance(answer.json()["detail"], str)
