from __future__ import annotations

import asyncio
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.accounts import project_account
from bursar.domain.ids import request_id
from bursar.domain.projects import SpendPeriod, budget_slot, project_user_id
from bursar.domain.usage import Status, UsageRecord
from bursar.services.platform.lease_end import LeaseEnd
from bursar.services.policy import Policy
from bursar.services.sweep import Sweep
from tests.integration.platform.rig import Vault, made, new_vault, sign_in

if TYPE_CHECKING:
    import httpx2
    from fastapi import FastAPI

    from bursar.domain.budgets import AccountKey
    from tests.fakes.office import Office


@pytest.fixture
async def ada(app: FastAPI, office: Office) -> httpx2.AsyncClient:
    return (await sign_in(app, office, "ada")).client


@pytest.fixture
async def vault(ada: httpx2.AsyncClient) -> Vault:
    return await new_vault(ada)


@pytest.fixture
def path(vault: Vault) -> str:
    return f"{vault.path}/budgets"


async def record(
    office: Office, vault: Vault, usd: str, client_id: str | None = None, after_s: float = 1
) -> None:
    """Enter a request that no budget knew of."""
    office.wait(seconds=after_s)
    entry = UsageRecord(
        request_id(office.now),
        project_user_id(vault.project_id),
        office.now,
        "/api/v1/usage-events/",
        Status.SUCCESS,
        cost_usd=Decimal(usd),
        project_id=vault.project_id,
        client_id=client_id,
    )
    await office.services.usage_log.record(entry)


async def account(
    office: Office, vault: Vault, period: SpendPeriod, client_id: str | None = None
) -> AccountKey:
    budgets = office.platform.platform.budgets(vault.project_id)
    budget = await budgets.get(budget_slot(client_id, period))
    assert budget is not None
    return project_account(budget, office.now)


async def spent(client: httpx2.AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    amount: str = answer.json()["current_spend"]
    return amount


async def test_a_budget_is_made_with_its_period_and_amounts_as_text(
    ada: httpx2.AsyncClient, vault: Vault, path: str
) -> None:
    budget = await made(ada, path, {"budget_limit": 100.0, "spend_period": "weekly"})
    assert uuid.UUID(budget["id"])
    assert budget == {
        "id": budget["id"],
        "project_id": vault.project_id,
        "client_id": None,
        "budget_limit": "100.0000",
        "current_spend": "0.0000",
        "held": "0.0000",
        "spend_period": "weekly",
        "period_start": "2026-01-04T00:00:00.000000Z",
        "period_end": "2026-01-11T00:00:00.000000Z",
        "created_at": "2026-01-10T12:00:00.000000Z",
        "updated_at": "2026-01-10T12:00:00.000000Z",
    }
    assert (await ada.get(f"{path}/weekly")).json() == budget
    listed = {name: value for name, value in budget.items() if name not in {"client_id", "held"}}
    assert (await ada.get(path)).json() == {"data": [listed], "count": 1}


@pytest.mark.parametrize(
    ("limit", "shown"),
    [
        ("0.1", "0.1000"),
        ("0.100000000001", "0.100000000001"),
        ('"12.34567"', "12.34567"),
        ("0", "0.0000"),
        ("1e3", "1000.0000"),
        ("999999999999999", "999999999999999.0000"),
    ],
)
async def test_a_limit_is_kept_exactly(
    ada: httpx2.AsyncClient, path: str, limit: str, shown: str
) -> None:
    body = f'{{"budget_limit": {limit}, "spend_period": "daily"}}'
    answer = await ada.post(path, content=body)
    assert (answer.status_code, answer.json()["budget_limit"]) == (201, shown)


@pytest.mark.parametrize(
    "body",
    [
        {"budget_limit": -1, "spend_period": "daily"},
        {"budget_limit": "1e3", "spend_period": "daily"},
        {"budget_limit": None, "spend_period": "daily"},
        {"budget_limit": True, "spend_period": "daily"},
        {"budget_limit": 1e15, "spend_period": "daily"},
        {"budget_limit": 1, "spend_period": "hourly"},
        {"budget_limit": 1},
    ],
)
async def test_an_impossible_budget_does_not_validate(
    ada: httpx2.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    assert (await ada.post(path, json=body)).status_code == 422
    assert (await ada.get(path)).json()["count"] == 0


async def test_a_period_has_one_budget_which_is_changed_and_deleted(
    ada: httpx2.AsyncClient, path: str
) -> None:
    for period in ("monthly", "daily", "weekly"):
        await made(ada, path, {"budget_limit": 1, "spend_period": period})
    again = await ada.post(path, json={"budget_limit": 2, "spend_period": "daily"})
    assert again.status_code == 409
    listed = (await ada.get(path)).json()["data"]
    assert [one["spend_period"] for one in listed] == ["daily", "weekly", "monthly"]

    changed = await ada.patch(f"{path}/daily", json={"budget_limit": 7.5})
    assert (changed.status_code, changed.json()["budget_limit"]) == (200, "7.5000")
    deleted = await ada.delete(f"{path}/daily")
    assert (deleted.status_code, deleted.json()) == (200, {"message": "Budget deleted"})
    for attempt in (
        ada.get(f"{path}/daily"),
        ada.patch(f"{path}/daily", json={"budget_limit": 1}),
        ada.delete(f"{path}/daily"),
    ):
        refused = await attempt
        assert (refused.status_code, refused.json()["detail"]) == (404, "Budget not found")
    assert (await ada.get(path)).json()["count"] == 2


async def test_what_requests_spend_and_hold_is_told_until_the_period_ends(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    await made(ada, path, {"budget_limit": 10, "spend_period": "daily"})
    today = await account(office, vault, SpendPeriod.DAILY)
    await office.spend(today, "0.25")
    await office.hold(today, "1.5")
    shown = (await ada.get(f"{path}/daily")).json()
    assert (shown["current_spend"], shown["held"]) == ("0.2500", "1.5000")

    office.wait(hours=12)
    shown = (await ada.get(f"{path}/daily")).json()
    assert (shown["current_spend"], shown["held"]) == ("0.0000", "0.0000")
    assert shown["period_start"] == "2026-01-11T00:00:00.000000Z"


async def test_a_budget_begins_with_what_the_books_say_was_spent_in_its_period(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    other = await new_vault(ada, "other")
    await record(office, vault, "4")
    office.wait(days=1)
    await record(office, vault, "0.5")
    await record(office, vault, "0.25")
    await record(office, other, "100")
    await made(ada, path, {"budget_limit": 1, "spend_period": "daily"})
    await made(ada, path, {"budget_limit": 1, "spend_period": "monthly"})
    assert await spent(ada, f"{path}/daily") == "0.7500"
    assert await spent(ada, f"{path}/monthly") == "4.7500"


async def test_the_books_are_read_to_their_end(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    for _ in range(1050):
        await record(office, vault, "0.001", after_s=0.001)
    await made(ada, path, {"budget_limit": 10, "spend_period": "monthly"})
    assert await spent(ada, f"{path}/monthly") == "1.0500"


async def test_a_client_counts_its_own_requests(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    web = await made(ada, f"{vault.path}/clients/", {"name": "web"})
    own = f"{vault.path}/clients/{web['id']}/budgets/"
    assert (await ada.get(own)).json() == []
    await record(office, vault, "2", client_id=web["id"])
    await record(office, vault, "3")

    budget = await made(ada, own, {"budget_limit": 5, "spend_period": "daily"})
    assert (budget["client_id"], budget["current_spend"]) == (web["id"], "2.0000")
    assert [each["id"] for each in (await ada.get(own)).json()] == [budget["id"]]
    assert (await ada.get(path)).json() == {"data": [], "count": 0}
    changed = await ada.patch(f"{own}daily", json={"budget_limit": "6"})
    assert changed.json()["budget_limit"] == "6.0000"
    assert (await ada.delete(f"{own}daily")).status_code == 200
    assert (await ada.get(f"{own}daily")).status_code == 404
    unknown = await ada.post(
        f"{vault.path}/clients/{uuid.uuid4()}/budgets/",
        json={"budget_limit": 5, "spend_period": "daily"},
    )
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "Client not found")


async def test_a_budget_made_again_neither_forgets_nor_counts_twice(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    body = {"budget_limit": 10, "spend_period": "daily"}
    await record(office, vault, "1")
    await made(ada, path, body)
    today = await account(office, vault, SpendPeriod.DAILY)
    await office.spend(today, "2")
    await record(office, vault, "2")

    for unseen, expected in (("0", "3.0000"), ("0.5", "3.5000"), ("0", "3.5000")):
        await ada.delete(f"{path}/daily")
        await record(office, vault, unseen)
        await made(ada, path, body)
        assert await spent(ada, f"{path}/daily") == expected


async def test_of_a_budget_made_several_times_at_once_one_is_kept_and_nothing_counts_twice(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    await record(office, vault, "1.5")
    body = {"budget_limit": 10, "spend_period": "daily"}
    answers = await asyncio.gather(*(ada.post(path, json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert await spent(ada, f"{path}/daily") == "1.5000"


async def test_a_budget_made_again_leaves_room_for_what_is_held_and_what_that_has_used(
    ada: httpx2.AsyncClient, vault: Vault, path: str, office: Office
) -> None:
    """A lease reports its usage before its hold is settled at that usage."""
    body = {"budget_limit": 10, "spend_period": "daily"}
    await made(ada, path, body)
    today = await account(office, vault, SpendPeriod.DAILY)
    lease = await office.hold(today, "4")
    used = UsageRecord(
        request_id(office.now),
        project_user_id(vault.project_id),
        office.now,
        "/api/v1/usage-events/",
        Status.SUCCESS,
        cost_usd=Decimal(1),
        project_id=vault.project_id,
        lease_id=lease.hold_id,
    )
    await office.services.usage_log.record(used)
    await ada.delete(f"{path}/daily")
    await record(office, vault, "2")
    await made(ada, path, body)

    shown = (await ada.get(f"{path}/daily")).json()
    assert (shown["current_spend"], shown["held"]) == ("2.0000", "4.0000")
    await office.services.ledger.settle(today, lease, Decimal(1))
    assert await spent(ada, f"{path}/daily") == "3.0000"


async def sweep(office: Office) -> None:
    services, platform = office.services, office.platform.platform
    await Sweep(
        ledger=services.ledger,
        usage_log=services.usage_log,
        reset_log=services.reset_log,
        directory=services.directory,
        policy=Policy(),
        clock=services.clock,
        platform=platform,
        leases=LeaseEnd(platform, services.usage_log, services.clock),
    ).run()


@pytest.mark.parametrize("of_client", [False, True])
async def test_the_periods_of_a_budget_that_have_ended_are_listed(
    ada: httpx2.AsyncClient,
    vault: Vault,
    office: Office,
    of_client: bool,  # noqa: FBT001 (a parameter of the test)
) -> None:
    client_id, path = None, f"{vault.path}/budgets"
    if of_client:
        client_id = (await made(ada, f"{vault.path}/clients", {"name": "backend"}))["id"]
        path = f"{vault.path}/clients/{client_id}/budgets"
    create = f"{path}/" if of_client else path
    for period in ("daily", "monthly"):
        await made(ada, create, {"budget_limit": 5, "spend_period": period})
    for usd in ("0.25", "1.5"):
        await office.spend(await account(office, vault, SpendPeriod.DAILY, client_id), usd)
        await office.spend(await account(office, vault, SpendPeriod.MONTHLY, client_id), usd)
        office.wait(days=1)
        await sweep(office)

    answer = await ada.get(f"{path}/daily/resets", params={"limit": 1})

    (newest,), cursor = answer.json()["data"], answer.json()["next_cursor"]
    assert newest == {
        "period_start": "2026-01-11T00:00:00.000000Z",
        "period_end": "2026-01-12T00:00:00.000000Z",
        "next_period_end": "2026-01-13T00:00:00.000000Z",
        "spend": "1.5000",
    }
    rest = (await ada.get(f"{path}/daily/resets", params={"cursor": cursor})).json()
    assert [reset["spend"] for reset in rest["data"]] == ["0.2500"]
    assert rest["next_cursor"] is None
    nothing = (await ada.get(f"{path}/monthly/resets")).json()
    assert nothing == {"data": [], "next_cursor": None}


async def test_a_budget_that_is_not_there_has_no_resets_to_list(
    ada: httpx2.AsyncClient, path: str
) -> None:
    assert (await ada.get(f"{path}/weekly/resets")).status_code == 404
    await made(ada, path, {"budget_limit": 5, "spend_period": "weekly"})
    assert (await ada.get(f"{path}/weekly/resets", params={"cursor": "?"})).status_code == 400


async def test_a_budget_that_was_lifted_before_its_period_ended_has_no_entry(
    ada: httpx2.AsyncClient, vault: Vault, office: Office, path: str
) -> None:
    made_one = await made(ada, path, {"budget_limit": 5, "spend_period": "daily"})
    await office.spend(await account(office, vault, SpendPeriod.DAILY), "1")
    assert (await ada.delete(f"{path}/daily")).status_code == 200
    office.wait(days=1)
    await sweep(office)
    assert await office.services.reset_log.page(made_one["id"], limit=5) == ([], None)
