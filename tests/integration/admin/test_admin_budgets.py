from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.accounts import pool_account
from bursar.domain.usage import ResetRecord
from tests.fakes.office import START

if TYPE_CHECKING:
    import httpx2

    from tests.fakes.office import Office


async def create(admin: httpx2.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await admin.post("/v1/budgets", json=fields)
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def test_creating_a_budget_answers_with_all_of_it(admin: httpx2.AsyncClient) -> None:
    created = await create(admin, max_budget=10.5, budget_duration_sec=60)
    assert created == {
        "budget_id": created["budget_id"],
        "max_budget": 10.5,
        "budget_duration_sec": 60,
        "budget_period": None,
        "time_zone": "UTC",
        "scope": "each",
        "spend": None,
        "next_budget_reset_at": None,
        "created_at": "2026-01-10T12:00:00Z",
        "updated_at": "2026-01-10T12:00:00Z",
    }
    assert (await admin.get(f"/v1/budgets/{created['budget_id']}")).json() == created
    assert (await admin.get("/v1/budgets")).json() == [created]


async def test_an_empty_budget_only_tracks(admin: httpx2.AsyncClient) -> None:
    created = await create(admin)
    assert (created["max_budget"], created["budget_duration_sec"]) == (None, None)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (b"0", b"0"),
        (b"-0.0", b"0"),
        (b"1e2", b"100"),
        (b"0.1", b"0.1"),
        (b"0.30000000000000004", b"0.3"),
        (b"999999999999999.999999999999", b"999999999999999.999999999999"),
        (b"999999999999999.9999999999999", b"999999999999999.999999999999"),
        (b"0.0000000000019", b"1E-12"),
        (b'"2.50"', b"2.5"),
    ],
)
async def test_amounts_are_kept_digit_by_digit(
    admin: httpx2.AsyncClient, written: bytes, kept: bytes
) -> None:
    answer = await admin.post("/v1/budgets", content=b'{"max_budget": ' + written + b"}")
    assert answer.status_code == 200, answer.text
    assert b'"max_budget":' + kept + b"," in answer.content
    read = await admin.get(f"/v1/budgets/{answer.json()['budget_id']}")
    assert read.content == answer.content


@pytest.mark.parametrize(
    "written",
    [b"-1", b"NaN", b"Infinity", b"1e15", b'"NaN"', b'"1e3"', b'"-1"', b"true", b"[]", b'""'],
)
async def test_what_is_no_amount_does_not_validate(
    admin: httpx2.AsyncClient, written: bytes
) -> None:
    answer = await admin.post("/v1/budgets", content=b'{"max_budget": ' + written + b"}")
    assert answer.status_code == 422
    assert (await admin.get("/v1/budgets")).json() == []


@pytest.mark.parametrize(
    "fields",
    [
        {"budget_duration_sec": 0},
        {"budget_duration_sec": -5},
        {"budget_duration_sec": 1.5},
        {"budget_duration_sec": 10**12},
        {"budget_period": "year"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../etc/passwd"},
        {"time_zone": None},
        {"scope": "everyone"},
        {"budget_period": "day", "budget_duration_sec": 60},
    ],
)
async def test_values_that_make_no_budget_do_not_validate(
    admin: httpx2.AsyncClient, fields: dict[str, Any]
) -> None:
    answer = await admin.post("/v1/budgets", json=fields)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], list)


async def test_a_pool_shows_its_spending_and_its_next_reset(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    created = await create(
        admin, max_budget=250, budget_period="month", time_zone="Europe/Berlin", scope="pool"
    )
    assert created["spend"] == 0
    assert created["next_budget_reset_at"] == "2026-01-31T23:00:00Z"
    budget = await office.services.directory.budgets.get(created["budget_id"])
    assert budget is not None
    await office.spend(pool_account(budget, office.now), "17.25")
    assert (await admin.get("/v1/budgets")).json()[0]["spend"] == 17.25


async def test_absent_fields_are_left_alone_and_null_clears(admin: httpx2.AsyncClient) -> None:
    created = await create(admin, max_budget=10, budget_duration_sec=60, time_zone="Asia/Tokyo")
    path = f"/v1/budgets/{created['budget_id']}"
    changed = (await admin.patch(path, json={"max_budget": 20})).json()
    assert changed == created | {"max_budget": 20}
    cleared = (await admin.patch(path, json=dict.fromkeys(created))).json()
    assert cleared == created | {
        "max_budget": None,
        "budget_duration_sec": None,
        "time_zone": "UTC",
    }


async def test_a_calendar_period_replaces_a_rolling_one(admin: httpx2.AsyncClient) -> None:
    created = await create(admin, budget_duration_sec=60)
    path = f"/v1/budgets/{created['budget_id']}"
    changed = (await admin.patch(path, json={"budget_period": "week"})).json()
    assert (changed["budget_period"], changed["budget_duration_sec"]) == ("week", None)
    both = await admin.patch(path, json={"budget_period": "week", "budget_duration_sec": 60})
    assert both.status_code == 422
    assert both.json()["error"]["param"] == "budget_period"


async def test_a_budget_in_use_is_deleted_only_when_asked_to_detach(
    admin: httpx2.AsyncClient,
) -> None:
    budget_id = (await create(admin, max_budget=10))["budget_id"]
    await admin.post("/v1/users", json={"user_id": "alice", "budget_id": budget_id})
    key = (await admin.post("/v1/keys", json={"user_id": "bob", "budget_id": budget_id})).json()
    path = f"/v1/budgets/{budget_id}"

    refused = await admin.delete(path)
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith(
        f"Budget '{budget_id}' is in use by 1 user and 1 API key."
    )
    assert (await admin.get("/v1/users/alice")).json()["budget_id"] == budget_id

    assert (await admin.delete(path, params={"detach": "true"})).status_code == 204
    assert (await admin.get(path)).status_code == 404
    assert (await admin.get("/v1/users/alice")).json()["budget_id"] is None
    assert (await admin.get(f"/v1/keys/{key['id']}")).json()["budget_id"] is None


async def test_an_unused_budget_is_deleted_at_once(admin: httpx2.AsyncClient) -> None:
    path = f"/v1/budgets/{(await create(admin))['budget_id']}"
    assert (await admin.delete(path)).status_code == 204
    again = await admin.delete(path)
    assert again.status_code == 404


async def test_a_changed_scope_under_holders_is_a_conflict(admin: httpx2.AsyncClient) -> None:
    budget_id = (await create(admin))["budget_id"]
    await admin.post("/v1/users", json={"user_id": "alice", "budget_id": budget_id})
    answer = await admin.patch(f"/v1/budgets/{budget_id}", json={"scope": "pool"})
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/budgets/nope"),
        ("PATCH", "/v1/budgets/nope"),
        ("DELETE", "/v1/budgets/nope"),
        ("GET", "/v1/budgets/nope/resets"),
    ],
)
async def test_an_unknown_budget_is_not_found(
    admin: httpx2.AsyncClient, method: str, path: str
) -> None:
    answer = await admin.request(method, path, json={})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "Budget with id 'nope' not found"


async def test_resets_tell_whose_period_ended_and_what_it_cost(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    budget_id = (await create(admin))["budget_id"]
    for day, subject in enumerate(("user/alice", "key/k1", f"pool/{budget_id}")):
        start = START + timedelta(days=day)
        end = start + timedelta(days=1)
        entry = ResetRecord(budget_id, subject, start, end, None, Decimal("0.5"))
        await office.services.reset_log.append(entry)
    path = f"/v1/budgets/{budget_id}/resets"
    page = (await admin.get(path, params={"limit": 2})).json()
    assert [(row["user_id"], row["api_key_id"]) for row in page["data"]] == [
        (None, None),
        (None, "k1"),
    ]
    rest = (await admin.get(path, params={"cursor": page["next_cursor"]})).json()
    assert rest == {
        "data": [
            {
                "budget_id": budget_id,
                "user_id": "alice",
                "api_key_id": None,
                "period_start": "2026-01-10T12:00:00Z",
                "reset_at": "2026-01-11T12:00:00Z",
                "next_reset_at": None,
                "previous_spend": 0.5,
            }
        ],
        "next_cursor": None,
    }
