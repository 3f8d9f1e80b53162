"""Records that come from another gateway: keys by their digest, with what was spent there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.keys import FOREIGN_KEYS, digest_of, new_virtual_key

if TYPE_CHECKING:
    import httpx2

    from tests.fakes.office import Office

DAY_S = 86_400
KEY_ID = "7f8b1f9e-0a55-4f0f-9a3f-2d6c5f0c9d11"
KEY = "gw-" + "of-another-gateway-" * 3
DIGEST = digest_of(KEY)
YESTERDAY = "2026-01-09T18:00:00Z"


async def posted(admin: httpx2.AsyncClient, path: str, **fields: Any) -> dict[str, Any]:
    answer = await admin.post(path, json=fields)
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def test_a_key_is_taken_over_by_its_digest_with_its_id(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    made = await posted(admin, "/v1/keys", key_digest=DIGEST, id=KEY_ID, user_id="alice")
    assert made["id"] == KEY_ID
    assert "key" not in made
    assert await office.services.directory.key_id_of(DIGEST) == KEY_ID
    record = await office.services.keys.get(KEY_ID)
    record.check_usable(DIGEST, office.now)


async def test_a_key_can_come_inactive_and_never_was_active(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    await posted(admin, "/v1/keys", key_digest=DIGEST, id=KEY_ID, is_active=False)
    assert not (await office.services.keys.get(KEY_ID)).is_active


@pytest.mark.parametrize("again", [{"id": KEY_ID}, {"id": "another"}, {}])
async def test_a_key_is_taken_over_once(admin: httpx2.AsyncClient, again: dict[str, str]) -> None:
    await posted(admin, "/v1/keys", key_digest=DIGEST, id=KEY_ID, user_id="alice")
    refused = await admin.post("/v1/keys", json={"key_digest": DIGEST, **again})
    assert refused.status_code == 409
    assert KEY_ID in refused.json()["detail"]


async def test_a_taken_id_leaves_another_keys_digest_unlinked(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    await posted(admin, "/v1/keys", key_digest=DIGEST, id=KEY_ID)
    other = digest_of(new_virtual_key())
    refused = await admin.post("/v1/keys", json={"key_digest": other, "id": KEY_ID})
    assert refused.status_code == 409
    assert await office.services.directory.key_id_of(other) is None


async def test_an_import_that_broke_off_between_link_and_record_goes_on(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    await office.services.directory.link_digest(DIGEST, KEY_ID)
    made = await posted(admin, "/v1/keys", key_digest=DIGEST, id=KEY_ID)
    assert made["is_active"]


async def test_only_a_key_of_another_format_opens_the_door_to_all_formats(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    await posted(admin, "/v1/keys", key_digest=DIGEST)
    assert await office.services.directory.key_id_of(FOREIGN_KEYS) is None
    foreign = digest_of("sk-of-another-proxy")
    made = await posted(admin, "/v1/keys", key_digest=foreign, is_foreign=True)
    assert await office.services.directory.key_id_of(FOREIGN_KEYS) == made["id"]


@pytest.mark.parametrize("fields", [{"id": KEY_ID}, {"is_foreign": True}, {"key_digest": "gw-x"}])
async def test_what_only_a_digest_gives_a_meaning_is_refused_without(
    admin: httpx2.AsyncClient, fields: dict[str, Any]
) -> None:
    assert (await admin.post("/v1/keys", json=fields)).status_code == 422


async def test_a_user_goes_on_with_what_they_spent_in_the_period_that_had_begun(
    admin: httpx2.AsyncClient,
) -> None:
    await posted(admin, "/v1/budgets", budget_id="tier-1", max_budget=5, budget_duration_sec=DAY_S)
    fields = {"budget_id": "tier-1", "budget_started_at": YESTERDAY, "spend": "1.25"}
    user = await posted(admin, "/v1/users", user_id="alice", **fields)
    assert user["spend"] == 1.25
    assert user["budget_started_at"] == YESTERDAY
    assert user["next_budget_reset_at"] == "2026-01-10T18:00:00Z"


async def test_what_was_spent_is_gone_when_that_period_ends(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    await posted(admin, "/v1/budgets", budget_id="tier-1", max_budget=5, budget_duration_sec=DAY_S)
    fields = {"budget_id": "tier-1", "budget_started_at": YESTERDAY, "spend": "1.25"}
    await posted(admin, "/v1/users", user_id="alice", **fields)
    office.now = datetime(2026, 1, 10, 18, tzinfo=UTC) + timedelta(seconds=1)
    assert (await admin.get("/v1/users/alice")).json()["spend"] == 0


async def test_spending_without_a_budget_is_carried_too(admin: httpx2.AsyncClient) -> None:
    assert (await posted(admin, "/v1/users", user_id="alice", spend=3))["spend"] == 3


async def test_a_user_who_is_there_is_not_charged_by_a_second_import(
    admin: httpx2.AsyncClient,
) -> None:
    await posted(admin, "/v1/budgets", budget_id="tier-1", max_budget=5)
    fields = {"user_id": "alice", "budget_id": "tier-1", "budget_started_at": YESTERDAY}
    await posted(admin, "/v1/users", **fields, spend=1)
    refused = await admin.post("/v1/users", json={**fields, "spend": 2})
    assert refused.status_code == 409
    assert (await admin.get("/v1/users/alice")).json()["spend"] == 1


async def test_a_keys_own_budget_goes_on_as_well(admin: httpx2.AsyncClient) -> None:
    await posted(admin, "/v1/budgets", budget_id="own", max_budget=5)
    fields = {"budget_id": "own", "budget_started_at": YESTERDAY, "spend": 2}
    made = await posted(admin, "/v1/keys", key_digest=DIGEST, user_id="alice", **fields)
    assert made["spend"] == 2


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/keys", {"spend": 1}),
        ("/v1/keys", {"budget_started_at": YESTERDAY}),
        ("/v1/users", {"user_id": "alice", "budget_started_at": YESTERDAY}),
        (
            "/v1/users",
            {"user_id": "alice", "budget_id": "own", "budget_started_at": "2030-01-01T00:00:00Z"},
        ),
    ],
)
async def test_a_start_needs_a_budget_and_spending_an_account(
    admin: httpx2.AsyncClient, path: str, fields: dict[str, Any]
) -> None:
    await posted(admin, "/v1/budgets", budget_id="own", max_budget=5)
    assert (await admin.post(path, json=fields)).status_code == 422


async def test_a_budget_keeps_its_id_and_no_other_gets_it(admin: httpx2.AsyncClient) -> None:
    made = await posted(admin, "/v1/budgets", budget_id="tier-1", max_budget=5)
    assert made["budget_id"] == "tier-1"
    refused = await admin.post("/v1/budgets", json={"budget_id": "tier-1", "max_budget": 9})
    assert refused.status_code == 409
    assert (await admin.get("/v1/budgets/tier-1")).json()["max_budget"] == 5
