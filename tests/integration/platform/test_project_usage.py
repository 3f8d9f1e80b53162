from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.ids import request_id
from bursar.domain.projects import project_user_id
from bursar.domain.usage import Status, TokenUsage, UsageRecord
from tests.integration.platform.rig import Vault, new_vault, sign_in

if TYPE_CHECKING:
    import httpx2
    from fastapi import FastAPI

    from tests.fakes.office import Office


@pytest.fixture
async def ada(app: FastAPI, office: Office) -> httpx2.AsyncClient:
    return (await sign_in(app, office, "ada")).client


@pytest.fixture
async def vault(ada: httpx2.AsyncClient) -> Vault:
    return await new_vault(ada)


@pytest.fixture
async def records(office: Office, ada: httpx2.AsyncClient, vault: Vault) -> list[UsageRecord]:
    """Four requests of the project on two days, oldest first; and others' that nobody must see."""
    blank = UsageRecord(
        "",
        project_user_id(vault.project_id),
        office.now,
        "/v1/chat/completions",
        Status.SUCCESS,
        key_id="k1",
        provider="openai",
        model="gpt-x",
        usage=TokenUsage(100, 10),
        cost_usd=Decimal("0.1"),
        project_id=vault.project_id,
    )
    other = await new_vault(ada, "other")
    wanted: list[dict[str, Any]] = [
        {},
        {"client_id": "c1", "key_id": None, "cost_usd": Decimal("0.000000000001")},
        {"provider": "mistral", "model": "small", "client_id": "c2", "lease_id": "l1"},
        {"status": Status.ERROR, "provider": None, "model": None, "usage": None, "cost_usd": None},
    ]
    found = []
    for fields in wanted:
        office.wait(hours=5)
        at: dict[str, Any] = {"request_id": request_id(office.now), "created_at": office.now}
        found.append(replace(blank, **at, **fields))
        await office.services.usage_log.record(found[-1])
        for user_id in ("alice", project_user_id(other.project_id)):
            foreign = replace(blank, **at, user_id=user_id, project_id=other.project_id)
            await office.services.usage_log.record(foreign)
    return found


async def ids(client: httpx2.AsyncClient, vault: Vault, **params: Any) -> list[str]:
    answer = await client.get(f"{vault.path}/usage", params=params)
    assert answer.status_code == 200, answer.text
    return [record["id"] for record in answer.json()["data"]]


async def test_a_projects_own_usage_is_listed_newest_first_a_page_at_a_time(
    ada: httpx2.AsyncClient, vault: Vault, records: list[UsageRecord]
) -> None:
    newest_first = [record.request_id for record in reversed(records)]
    assert await ids(ada, vault) == newest_first
    page = (await ada.get(f"{vault.path}/usage", params={"limit": 3})).json()
    assert [one["id"] for one in page["data"]] == newest_first[:3]
    assert await ids(ada, vault, limit=3, cursor=page["next_cursor"]) == newest_first[3:]
    leased = page["data"][1]
    assert (leased["project_id"], leased["client_id"]) == (vault.project_id, "c2")
    assert (leased["lease_id"], leased["cost"]) == ("l1", 0.1)
    refused = await ada.get(f"{vault.path}/usage", params={"cursor": "x"})
    assert refused.status_code == 400


async def test_usage_is_filtered(
    ada: httpx2.AsyncClient, vault: Vault, records: list[UsageRecord]
) -> None:
    first, second, third, fourth = (record.request_id for record in records)
    assert await ids(ada, vault, client_id="c1") == [second]
    assert await ids(ada, vault, provider="mistral") == [third]
    assert await ids(ada, vault, model="openai:gpt-x") == [second, first]
    assert await ids(ada, vault, key_id="k1") == [fourth, third, first]
    assert await ids(ada, vault, status="error") == [fourth]
    assert await ids(ada, vault, start="2026-01-11") == [fourth, third]
    assert await ids(ada, vault, end="2026-01-10T20:00:00Z") == [first]


async def test_usage_is_added_up_exactly_by_what_is_asked_for(
    ada: httpx2.AsyncClient, vault: Vault, records: list[UsageRecord]
) -> None:
    answer = await ada.get(f"{vault.path}/usage/summary")
    assert answer.status_code == 200
    assert '"cost":0.100000000001' in answer.text
    summary = answer.json()
    assert summary["group_by"] == "day"
    assert summary["start"] == "2025-12-11T08:00:00.000000Z"
    assert [line["group"] for line in summary["data"]] == ["2026-01-10", "2026-01-11"]
    assert summary["data"][0] == {
        "group": "2026-01-10",
        "requests": 2,
        "prompt_tokens": 200,
        "completion_tokens": 20,
        "cost": 0.100000000001,
    }
    assert summary["total"] == {
        "requests": 4,
        "prompt_tokens": 300,
        "completion_tokens": 30,
        "cost": 0.200000000001,
    }


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        ("model", {"mistral:small": 1, "openai:gpt-x": 2, None: 1}),
        ("provider", {"mistral": 1, "openai": 2, None: 1}),
        ("client", {"c1": 1, "c2": 1, None: 2}),
        ("key", {"k1": 3, None: 1}),
    ],
)
async def test_a_summary_has_a_line_for_each_and_one_for_the_rest(
    ada: httpx2.AsyncClient,
    vault: Vault,
    records: list[UsageRecord],
    group_by: str,
    expected: dict[str | None, int],
) -> None:
    answer = await ada.get(f"{vault.path}/usage/summary", params={"group_by": group_by})
    lines = {line["group"]: line["requests"] for line in answer.json()["data"]}
    assert list(lines.items()) == list(expected.items())


async def test_a_summary_covers_the_span_that_was_named(
    ada: httpx2.AsyncClient, vault: Vault, records: list[UsageRecord], office: Office
) -> None:
    path = f"{vault.path}/usage/summary"
    span = {"start": "2026-01-11T00:00:00Z", "end": "2026-01-11T06:00:00Z"}
    assert (await ada.get(path, params=span)).json()["total"]["requests"] == 1
    office.wait(days=40)
    assert (await ada.get(path)).json()["total"]["requests"] == 0
    past = {"start": "2026-01-01"}
    assert (await ada.get(path, params=past)).json()["total"]["requests"] == 4
    assert (await ada.get(path, params={"group_by": "hour"})).status_code == 422
