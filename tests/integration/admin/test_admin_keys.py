from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.accounts import key_account
from bursar.domain.keys import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

    from tests.fakes.office import Office

START = "2026-01-10T12:00:00Z"


async def create(admin: httpx2.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await admin.post("/v1/keys", json=fields)
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def test_creating_a_key_answers_with_the_key_and_its_record(
    admin: httpx2.AsyncClient,
) -> None:
    created = await create(admin, key_name="search", user_id="alice", metadata={"team": "x"})
    assert created["key"].startswith("gw-")
    assert len(created["key"]) == 67
    assert created == {
        "id": created["id"],
        "key": created["key"],
        "key_name": "search",
        "user_id": "alice",
        "project_id": None,
        "client_id": None,
        "created_at": START,
        "last_used_at": None,
        "expires_at": None,
        "is_active": True,
        "metadata": {"team": "x"},
        "allowed_models": None,
        "budget_id": None,
        "spend": None,
        "next_budget_reset_at": None,
        "rate_limit_rpm": None,
        "rate_limit_tpm": None,
        "previous_key_valid_until": None,
    }


async def test_a_key_needs_nothing_but_an_empty_object(admin: httpx2.AsyncClient) -> None:
    created = await create(admin)
    assert created["user_id"] == f"apikey-{created['id']}"
    user = (await admin.get(f"/v1/users/{created['user_id']}")).json()
    assert user["alias"] == "Virtual user for API key: unnamed"


async def test_the_key_is_never_shown_again(admin: httpx2.AsyncClient) -> None:
    created = await create(admin)
    for path in ("/v1/keys", f"/v1/keys/{created['id']}"):
        answer = await admin.get(path)
        assert created["key"] not in answer.text
        assert digest_of(created["key"]) not in answer.text


async def test_listings_are_arrays_in_pages(admin: httpx2.AsyncClient) -> None:
    ids = sorted([(await create(admin))["id"] for _ in range(5)])
    assert [key["id"] for key in (await admin.get("/v1/keys")).json()] == ids
    page = await admin.get("/v1/keys", params={"skip": 1, "limit": 2})
    assert [key["id"] for key in page.json()] == ids[1:3]


@pytest.mark.parametrize("params", [{"skip": -1}, {"limit": 0}, {"limit": 1001}, {"skip": "x"}])
@pytest.mark.parametrize("path", ["/v1/keys", "/v1/users", "/v1/budgets", "/v1/pricing"])
async def test_pages_outside_their_bounds_do_not_validate(
    admin: httpx2.AsyncClient, path: str, params: dict[str, Any]
) -> None:
    answer = await admin.get(path, params=params)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", next(iter(params))]


@pytest.fixture
def machine_in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def test_an_expiry_without_a_zone_is_utc_wherever_the_machine_is(
    admin: httpx2.AsyncClient, machine_in_tokyo: None
) -> None:
    naive = await create(admin, expires_at="2099-01-01T00:00:00")
    zoned = await create(admin, expires_at="2099-01-01T02:00:00+02:00")
    assert naive["expires_at"] == zoned["expires_at"] == "2099-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "expires_at", [1700000000, "1700000000", True, "soon", "0001-01-01T00:00:00+14:00"]
)
async def test_what_is_not_a_date_does_not_validate(
    admin: httpx2.AsyncClient, expires_at: object
) -> None:
    answer = await admin.post("/v1/keys", json={"expires_at": expires_at})
    assert answer.status_code == 422
    assert answer.json()["error"]["param"] == "expires_at"


async def test_absent_fields_are_left_alone_and_null_clears(admin: httpx2.AsyncClient) -> None:
    created = await create(
        admin,
        key_name="search",
        expires_at="2099-01-01T00:00:00Z",
        metadata={"a": [1, 1.5, None, {"b": "c"}]},
        allowed_models=["openai:*"],
        rate_limit_rpm=5,
        rate_limit_tpm=6,
    )
    path = f"/v1/keys/{created.pop('id')}"
    key = (await admin.patch(path, json={"is_active": False})).json()
    assert key["is_active"] is False
    assert key["metadata"] == {"a": [1, 1.5, None, {"b": "c"}]}
    assert (key["key_name"], key["allowed_models"]) == ("search", ["openai:*"])

    names = ["key_name", "expires_at", "metadata", "allowed_models", "rate_limit_rpm"]
    key = (await admin.patch(path, json=dict.fromkeys([*names, "is_active"]))).json()
    assert [key[name] for name in names] == [None, None, {}, None, None]
    assert (key["rate_limit_tpm"], key["is_active"]) == (6, False)
    assert (await admin.get(path)).json() == key


async def test_a_key_with_a_budget_of_its_own_shows_how_it_stands(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    tier = {"max_budget": 5, "budget_duration_sec": 3600}
    each = (await admin.post("/v1/budgets", json=tier)).json()["budget_id"]
    pool = (await admin.post("/v1/budgets", json=tier | {"scope": "pool"})).json()["budget_id"]
    created = await create(admin, user_id="alice", budget_id=each)
    pooled = await create(admin, user_id="alice", budget_id=pool)
    assert (created["spend"], created["next_budget_reset_at"]) == (0, "2026-01-10T13:00:00Z")
    assert (pooled["spend"], pooled["next_budget_reset_at"]) == (None, None)

    directory = office.services.directory
    key, budget = await directory.keys.get(created["id"]), await directory.budgets.get(each)
    assert key is not None
    account = key_account(key, budget, office.now)
    assert account is not None
    await office.spend(account, "1.25")
    shown = {key["id"]: key["spend"] for key in (await admin.get("/v1/keys")).json()}
    assert shown == {created["id"]: 1.25, pooled["id"]: None}
    assert (await admin.get(f"/v1/keys/{created['id']}")).json()["spend"] == 1.25


async def test_deleting_a_key_ends_it(admin: httpx2.AsyncClient, office: Office) -> None:
    created = await create(admin)
    path = f"/v1/keys/{created['id']}"
    deleted = await admin.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert await office.services.directory.key_id_of(digest_of(created["key"])) is None
    assert (await admin.delete(path)).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_an_unknown_key_is_not_found(admin: httpx2.AsyncClient, method: str) -> None:
    answer = await admin.request(method, "/v1/keys/nope", json={})
    assert answer.status_code == 404
    assert answer.json() == {
        "detail": "API key with id 'nope' not found",
        "error": {
            "message": "API key with id 'nope' not found",
            "type": "not_found_error",
            "param": None,
            "code": "not_found",
        },
    }


async def test_a_key_for_a_deleted_user_is_refused(admin: httpx2.AsyncClient) -> None:
    await create(admin, user_id="alice")
    await admin.delete("/v1/users/alice")
    answer = await admin.post("/v1/keys", json={"user_id": "alice"})
    assert answer.status_code == 404
    assert answer.json()["detail"] == (
        "User 'alice' has been deleted. Recreate via POST /v1/users first."
    )


async def test_rotation_answers_as_creation_does(admin: httpx2.AsyncClient) -> None:
    created = await create(admin, key_name="search", user_id="alice")
    path = f"/v1/keys/{created['id']}/rotate"
    graceful = (await admin.post(path, json={"grace_period_sec": 3600})).json()
    assert graceful.pop("previous_key_valid_until") == "2026-01-10T13:00:00Z"
    bare = (await admin.post(path)).json()
    assert bare.pop("previous_key_valid_until") is None
    del created["previous_key_valid_until"]
    keys = {answer.pop("key") for answer in (created, graceful, bare)}
    assert len(keys) == 3
    assert created == graceful == bare


async def test_a_rotated_key_is_found_by_its_new_digest_only(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    created = await create(admin)
    rotated = (await admin.post(f"/v1/keys/{created['id']}/rotate")).json()
    directory = office.services.directory
    assert await directory.key_id_of(digest_of(created["key"])) is None
    assert await directory.key_id_of(digest_of(rotated["key"])) == created["id"]
    record = await directory.keys.get(created["id"])
    assert record is not None
    assert record.digest == digest_of(rotated["key"])


@pytest.mark.parametrize("grace", [-1, 30 * 86_400 + 1, 1.5, "60", True, None])
async def test_a_grace_period_is_at_most_thirty_days(
    admin: httpx2.AsyncClient, grace: object
) -> None:
    created = await create(admin)
    path = f"/v1/keys/{created['id']}/rotate"
    answer = await admin.post(path, json={"grace_period_sec": grace})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "fields",
    [
        {"rate_limit_rpm": 0},
        {"rate_limit_tpm": "5"},
        {"rate_limit_rpm": True},
        {"allowed_models": ["gpt-4o"]},
        {"allowed_models": "openai:*"},
        {"user_id": ""},
        {"user_id": "/etc"},
        {"user_id": "a\nb"},
        {"user_id": "alice/usage"},
        {"user_id": "project/550e8400-e29b-41d4-a716-446655440000"},
        {"metadata": None},
        {"metadata": {"blob": "x" * 65_536}},
        {"key_name": "x" * 501},
    ],
)
async def test_values_that_could_not_work_do_not_validate(
    admin: httpx2.AsyncClient, fields: dict[str, Any]
) -> None:
    answer = await admin.post("/v1/keys", json=fields)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:2] == ["body", next(iter(fields))]
    assert not (await admin.get("/v1/keys")).json()


async def test_metadata_cannot_be_nested_without_end(admin: httpx2.AsyncClient) -> None:
    deep = b'{"metadata": {"a": ' + b"[" * 20 + b"]" * 20 + b"}}"
    answer = await admin.post("/v1/keys", content=deep)
    assert answer.status_code == 422
    assert "nested at most 16 deep" in answer.json()["error"]["message"]
