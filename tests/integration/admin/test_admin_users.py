from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.ids import request_id
from bursar.domain.usage import Status, TokenUsage, UsageRecord
from tests.fakes.office import START

if TYPE_CHECKING:
    import httpx2

    from tests.fakes.office import Office

DAY_S = 86_400


async def new_budget(admin: httpx2.AsyncClient, **fields: Any) -> str:
    wanted = {"max_budget": 10, "budget_duration_sec": DAY_S} | fields
    answer = await admin.post("/v1/budgets", json=wanted)
    budget_id: str = answer.json()["budget_id"]
    return budget_id


async def create(admin: httpx2.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await admin.post("/v1/users", json=fields)
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def test_creating_a_user_answers_with_how_they_stand(admin: httpx2.AsyncClient) -> None:
    budget_id = await new_budget(admin)
    created = await create(admin, user_id="alice", alias="Alice", budget_id=budget_id)
    assert created == {
        "user_id": "alice",
        "alias": "Alice",
        "spend": 0,
        "held": 0,
        "budget_id": budget_id,
        "budget_started_at": "2026-01-10T12:00:00Z",
        "next_budget_reset_at": "2026-01-11T12:00:00Z",
        "blocked": False,
        "created_at": "2026-01-10T12:00:00Z",
        "updated_at": "2026-01-10T12:00:00Z",
        "metadata": {},
        "allowed_models": None,
        "rate_limit_rpm": None,
        "rate_limit_tpm": None,
    }
    assert (await admin.get("/v1/users/alice")).json() == created
    assert (await admin.get("/v1/users")).json() == [created]


async def test_a_second_user_of_one_id_is_a_conflict(admin: httpx2.AsyncClient) -> None:
    await create(admin, user_id="alice")
    answer = await admin.post("/v1/users", json={"user_id": "alice"})
    assert answer.status_code == 409
    assert answer.json()["detail"] == "User with id 'alice' already exists"
    assert answer.headers["x-should-retry"] == "false"


async def test_an_unknown_budget_is_not_found(admin: httpx2.AsyncClient) -> None:
    answer = await admin.post("/v1/users", json={"user_id": "alice", "budget_id": "nope"})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "Budget with id 'nope' not found"


async def test_a_user_must_have_an_id(admin: httpx2.AsyncClient) -> None:
    answer = await admin.post("/v1/users", json={"alias": "Alice"})
    assert answer.status_code == 422
    body = answer.json()
    assert body["detail"] == [
        {
            "type": "missing",
            "loc": ["body", "user_id"],
            "msg": "Field required",
            "input": {"alias": "Alice"},
        }
    ]
    assert body["error"] == {
        "message": "body.user_id: Field required",
        "type": "invalid_request_error",
        "param": "user_id",
        "code": "unprocessable",
    }


@pytest.mark.parametrize("user_id", ["a@example.com", "team/alice", "ключ 🔑", "a%2Fb", "a?b#c"])
async def test_any_id_is_addressable(admin: httpx2.AsyncClient, user_id: str) -> None:
    await create(admin, user_id=user_id)
    path = "/v1/users/" + "".join(f"%{byte:02X}" for byte in user_id.encode())
    assert (await admin.get(path)).json()["user_id"] == user_id
    assert (await admin.get(f"{path}/usage")).json() == []
    assert (await admin.patch(path, json={"blocked": True})).json()["blocked"] is True
    assert (await admin.delete(path)).status_code == 204


async def test_spending_is_exact_to_the_last_digit(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    await create(admin, user_id="alice")
    await office.spend_as("alice", "12345678901234.123456789012")
    answer = await admin.get("/v1/users/alice")
    assert b'"spend":12345678901234.123456789012,' in answer.content


async def test_another_budget_keeps_the_spending_and_null_detaches(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    await create(admin, user_id="alice", budget_id=await new_budget(admin))
    await office.spend_as("alice", "2.5")
    office.wait(hours=1)
    other = await new_budget(admin)
    moved = (await admin.patch("/v1/users/alice", json={"budget_id": other})).json()
    assert (moved["spend"], moved["budget_started_at"]) == (2.5, "2026-01-10T13:00:00Z")
    detached = (await admin.patch("/v1/users/alice", json={"budget_id": None})).json()
    assert (detached["spend"], detached["budget_id"]) == (2.5, None)
    assert (detached["budget_started_at"], detached["next_budget_reset_at"]) == (None, None)


async def test_absent_fields_are_left_alone_and_null_clears(admin: httpx2.AsyncClient) -> None:
    await create(admin, user_id="alice", alias="Alice", blocked=True, metadata={"a": 1})
    user = (await admin.patch("/v1/users/alice", json={"allowed_models": ["*"]})).json()
    assert (user["alias"], user["blocked"], user["metadata"]) == ("Alice", True, {"a": 1})
    clear = {"alias": None, "blocked": None, "metadata": None, "allowed_models": None}
    user = (await admin.patch("/v1/users/alice", json=clear)).json()
    assert (user["alias"], user["blocked"], user["metadata"]) == (None, True, {})
    assert user["allowed_models"] is None


async def test_a_deleted_user_can_be_revived_with_nothing_spent(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    key = (await admin.post("/v1/keys", json={"user_id": "alice"})).json()
    await office.spend_as("alice", "3")
    assert (await admin.delete("/v1/users/alice")).status_code == 204
    assert (await admin.get("/v1/users")).json() == []
    for method in ("GET", "PATCH", "DELETE"):
        gone = await admin.request(method, "/v1/users/alice", json={})
        assert gone.status_code == 404
        assert gone.json()["detail"] == "User with id 'alice' not found"
    assert (await admin.get(f"/v1/keys/{key['id']}")).json()["is_active"] is False

    office.wait(days=1)
    revived = await create(admin, user_id="alice", alias="Anew")
    assert (revived["spend"], revived["alias"]) == (0, "Anew")
    assert revived["created_at"] == "2026-01-10T12:00:00Z"
    assert (await admin.get(f"/v1/keys/{key['id']}")).json()["is_active"] is False


def record(office: Office, **fields: Any) -> UsageRecord:
    office.wait(seconds=1)
    values: dict[str, Any] = {
        "request_id": request_id(office.now),
        "user_id": "alice",
        "created_at": office.now,
        "endpoint": "/v1/chat/completions",
        "status": Status.SUCCESS,
    }
    return UsageRecord(**values | fields)


async def test_usage_lists_newest_first_and_survives_user_and_key(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    key = (await admin.post("/v1/keys", json={"user_id": "alice"})).json()
    done = record(
        office,
        key_id=key["id"],
        provider="openai",
        model="gpt-x",
        usage=TokenUsage(100, 20, 60, cache_write_tokens=30, web_searches=1),
        cost_usd=Decimal("0.000000000123"),
        reported_cost_usd=Decimal("0.5"),
        input_usd_per_million=Decimal("2.5"),
        output_usd_per_million=Decimal(10),
        rates=(("cached_input", Decimal("0.25")),),
        price_version="openai:gpt-x@catalogue 2026-11-25",
        service_tier="priority",
        is_streamed=True,
        duration_ms=900,
        first_token_ms=80,
        upstream_request_id="req_1",
        project_id="p1",
        client_id="c1",
        provider_key_id="pk1",
        lease_id="l1",
        tokens_per_second=Decimal("54.67"),
        alias="fast",
        attempts=2,
        route="retry;because=upstream_503",
    )
    lost = record(office, status=Status.DISCONNECTED, error_message="The client left")
    for entry in (done, lost):
        await office.services.usage_log.record(entry)
    await admin.delete(f"/v1/keys/{key['id']}")
    await admin.delete("/v1/users/alice")

    answer = await admin.get("/v1/users/alice/usage")
    newest, oldest = answer.json()
    assert (newest["status"], newest["outcome"]) == ("error", "disconnected")
    assert (newest["api_key_id"], newest["cost"], newest["prompt_tokens"]) == (None, None, None)
    assert oldest == {
        "id": done.request_id,
        "user_id": "alice",
        "api_key_id": key["id"],
        "timestamp": (START.replace(second=1)).isoformat().replace("+00:00", "Z"),
        "model": "gpt-x",
        "provider": "openai",
        "endpoint": "/v1/chat/completions",
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "cached_tokens": 60,
        "token_details": {"cache_write_tokens": 30, "web_searches": 1},
        "cost": 1.23e-10,
        "reported_cost": 0.5,
        "rates": {"input": 2.5, "output": 10, "cached_input": 0.25},
        "price_version": "openai:gpt-x@catalogue 2026-11-25",
        "service_tier": "priority",
        "status": "success",
        "outcome": "success",
        "error_message": None,
        "estimated": False,
        "streamed": True,
        "duration_ms": 900,
        "first_token_ms": 80,
        "upstream_request_id": "req_1",
        "project_id": "p1",
        "client_id": "c1",
        "provider_key_id": "pk1",
        "lease_id": "l1",
        "tokens_per_second": 54.67,
        "alias": "fast",
        "attempts": 2,
        "route": "retry;because=upstream_503",
    }
    page = await admin.get("/v1/users/alice/usage", params={"skip": 1, "limit": 5})
    assert page.json() == [oldest]


async def test_usage_of_an_unknown_user_is_not_found(admin: httpx2.AsyncClient) -> None:
    answer = await admin.get("/v1/users/nope/usage")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "User with id 'nope' not found"


async def test_everybodys_usage_is_filtered_and_paged(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    for number in range(6):
        entry = record(
            office,
            user_id=("alice", "bob")[number % 2],
            key_id=f"k{number % 3}",
            provider="openai",
            model=("gpt-x", "gpt-y")[number // 3],
            status=Status.ERROR if number == 5 else Status.SUCCESS,
        )
        await office.services.usage_log.record(entry)

    async def count(**params: Any) -> int:
        answer = await admin.get("/v1/usage", params=params)
        assert answer.status_code == 200, answer.text
        return len(answer.json()["data"])

    assert await count() == 6
    assert await count(user_id="alice") == 3
    assert await count(key_id="k0") == 2
    assert await count(model="openai:gpt-y") == await count(model="gpt-y") == 3
    assert await count(provider="openai") == 6
    assert await count(provider="mistral") == 0
    assert await count(status="error") == 1
    assert await count(user_id="bob", status="success") == 2
    window = {"start": "2026-01-10T12:00:02Z", "end": "2026-01-10T14:00:05+02:00"}
    assert await count(**window) == 3

    seen: list[str] = []
    params: dict[str, Any] = {"limit": 4}
    for expected in (4, 2):
        page = (await admin.get("/v1/usage", params=params)).json()
        assert len(page["data"]) == expected
        seen += [row["timestamp"] for row in page["data"]]
        params["cursor"] = page["next_cursor"]
    assert params["cursor"] is None
    assert seen == sorted(set(seen), reverse=True)


async def test_a_made_up_cursor_is_a_bad_request(admin: httpx2.AsyncClient) -> None:
    answer = await admin.get("/v1/usage", params={"cursor": "made-up"})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "cursor"


@pytest.mark.parametrize("params", [{"status": "fine"}, {"start": "yesterday"}, {"limit": 0}])
async def test_filters_that_mean_nothing_do_not_validate(
    admin: httpx2.AsyncClient, params: dict[str, Any]
) -> None:
    assert (await admin.get("/v1/usage", params=params)).status_code == 422


async def test_what_requests_in_flight_hold_is_told_beside_what_is_spent(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    await create(admin, user_id="alice")
    await office.spend_as("alice", "2.5")
    await office.hold(await office.account_of("alice"), "0.75")
    known = (await admin.get("/v1/users/alice")).json()
    assert (known["spend"], known["held"]) == (2.5, 0.75)
