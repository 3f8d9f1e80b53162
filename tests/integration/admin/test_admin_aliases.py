"""The management API of aliases, over each store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx2

    from tests.fakes.office import Office

TARGETS = [{"model": "groq:llama"}, {"model": "openai/gpt-4o-mini", "weight": 3}]
DOWN = {"below_share": 0.25, "model": "openai:gpt-4o-nano"}


async def create(admin: httpx2.AsyncClient, name: str = "fast", **fields: Any) -> dict[str, Any]:
    answer = await admin.post("/v1/aliases", json={"name": name, "targets": TARGETS} | fields)
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def test_creating_an_alias_answers_with_all_of_it(admin: httpx2.AsyncClient) -> None:
    created = await create(admin)
    assert created == {
        "name": "fast",
        "targets": [
            {"model": "groq:llama", "weight": 1},
            {"model": "openai:gpt-4o-mini", "weight": 3},
        ],
        "strategy": "ordered",
        "tier_down": None,
        "retries": 1,
        "metadata": {},
        "created_at": "2026-01-10T12:00:00Z",
        "updated_at": "2026-01-10T12:00:00Z",
    }
    assert (await admin.get("/v1/aliases/fast")).json() == created
    assert (await admin.get("/v1/aliases")).json() == [created]


async def test_everything_that_is_said_is_kept_exactly(admin: httpx2.AsyncClient) -> None:
    given: dict[str, Any] = {
        "strategy": "weighted",
        "tier_down": {"below_share": 0.123456, "model": "anthropic/claude-haiku"},
        "retries": 0,
        "metadata": {"owner": "search", "since": 2026},
    }
    created = await create(admin, **given)
    kept = (await admin.get("/v1/aliases/fast")).json()
    assert kept == created
    assert kept["tier_down"] == {"below_share": 0.123456, "model": "anthropic:claude-haiku"}
    assert {name: kept[name] for name in given if name != "tier_down"} == {
        name: value for name, value in given.items() if name != "tier_down"
    }


@pytest.mark.parametrize("name", ["claude-sonnet-4-5", "gpt-4o", "meta-llama/Llama-3.3@1"])
async def test_names_of_models_without_their_provider_are_names(
    admin: httpx2.AsyncClient, name: str
) -> None:
    created = await create(admin, name)
    assert created["name"] == name.replace("/", ":")
    for path in (name, created["name"]):
        assert (await admin.get(f"/v1/aliases/{path}")).json() == created


async def test_an_alias_is_made_once(admin: httpx2.AsyncClient) -> None:
    await create(admin, "team/smart")
    answer = await admin.post("/v1/aliases", json={"name": "team:smart", "targets": TARGETS})
    assert answer.status_code == 409
    assert "PATCH /v1/aliases/team:smart" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "where", "says"),
    [
        ({"name": "openai:fast"}, "name", "is a model of provider 'openai'"),
        ({"name": "GROQ/fast"}, "name", "is a model of provider 'groq'"),
        ({"name": "fast:"}, "model", "must name its provider"),
        ({"name": "fa st"}, "name", "pattern"),
        ({"name": "f*"}, "name", "pattern"),
        ({"name": ""}, "name", "at least 1"),
        ({"targets": []}, "targets", "at least 1"),
        ({"targets": [{"model": "openai:x"}] * 33}, "targets", "at most 32"),
        ({"targets": [{"model": "openai:x"}, {"model": "openai/x"}]}, "targets.1.model", "twice"),
        ({"targets": [{"model": "smart"}]}, "targets.0.model", "not for other aliases"),
        ({"targets": [{"model": "opnai:x"}]}, "targets.0.model", "'opnai' of 'opnai:x' is not"),
        ({"targets": [{"model": "openai:x", "weight": 0}]}, "targets", "greater than or equal"),
        ({"targets": [{"model": "openai:x", "weight": 1.5}]}, "targets", "valid integer"),
        ({"strategy": "random"}, "strategy", "'ordered' or 'weighted'"),
        ({"retries": -1}, "retries", "greater than or equal"),
        ({"retries": 6}, "retries", "less than or equal"),
        ({"tier_down": DOWN | {"below_share": 0}}, "tier_down", "greater than 0"),
        ({"tier_down": DOWN | {"below_share": 1}}, "tier_down", "less than 1"),
        ({"tier_down": DOWN | {"below_share": 0.1234567}}, "tier_down", "decimal places"),
        ({"tier_down": DOWN | {"model": "cheap"}}, "tier_down.model", "not for other aliases"),
        (
            {"targets": [{"model": "openai:x"}], "tier_down": DOWN | {"model": "openai:x"}},
            "tier_down.model",
            "name a cheaper one",
        ),
        ({"metadata": {"x": "y" * 70_000}}, "metadata", "64 KiB"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_field_and_the_remedy(
    admin: httpx2.AsyncClient, fields: dict[str, Any], where: str, says: str
) -> None:
    answer = await admin.post("/v1/aliases", json={"name": "fast", "targets": TARGETS} | fields)
    assert answer.status_code in {400, 422}
    problem = answer.json()
    assert where in str(problem)
    assert says in str(problem)
    assert (await admin.get("/v1/aliases")).json() == []


async def test_a_change_leaves_the_rest_alone(admin: httpx2.AsyncClient, office: Office) -> None:
    created = await create(admin, strategy="weighted", tier_down=DOWN, metadata={"a": 1})
    office.now = office.now.replace(hour=13)

    answer = await admin.patch("/v1/aliases/fast", json={"targets": [{"model": "groq/other"}]})

    assert answer.status_code == 200, answer.text
    assert answer.json() == created | {
        "targets": [{"model": "groq:other", "weight": 1}],
        "updated_at": "2026-01-10T13:00:00Z",
    }
    assert (await admin.get("/v1/aliases/fast")).json() == answer.json()


async def test_null_clears_what_can_be_cleared_and_leaves_the_rest(
    admin: httpx2.AsyncClient,
) -> None:
    created = await create(admin, strategy="weighted", tier_down=DOWN, metadata={"a": 1})
    nothing = dict.fromkeys(("targets", "strategy", "tier_down", "retries", "metadata"))
    changed = (await admin.patch("/v1/aliases/fast", json=nothing)).json()
    assert changed == created | {"tier_down": None, "metadata": {}}


async def test_a_change_is_checked_with_what_stays(admin: httpx2.AsyncClient) -> None:
    await create(admin, targets=[{"model": "groq:llama"}, {"model": "openai:x"}], tier_down=DOWN)
    only = {"targets": [{"model": DOWN["model"]}]}
    answer = await admin.patch("/v1/aliases/fast", json=only)
    assert answer.status_code == 422
    assert "name a cheaper one" in str(answer.json()["detail"])


async def test_a_deleted_alias_is_gone(admin: httpx2.AsyncClient) -> None:
    await create(admin, "team/smart")
    assert (await admin.delete("/v1/aliases/team/smart")).status_code == 204
    assert (await admin.delete("/v1/aliases/team/smart")).status_code == 404
    assert (await admin.get("/v1/aliases")).json() == []


@pytest.mark.parametrize("name", ["none", "a:", ":"])
async def test_an_unknown_alias_is_not_found(admin: httpx2.AsyncClient, name: str) -> None:
    for answer in (
        await admin.get(f"/v1/aliases/{name}"),
        await admin.patch(f"/v1/aliases/{name}", json={"retries": 0}),
        await admin.delete(f"/v1/aliases/{name}"),
    ):
        assert answer.status_code == 404
        assert answer.json()["detail"] == f"Alias '{name}' not found"


async def test_aliases_are_listed_by_name_a_page_at_a_time(admin: httpx2.AsyncClient) -> None:
    for name in ("c", "a", "b"):
        await create(admin, name)
    page = (await admin.get("/v1/aliases", params={"skip": 1, "limit": 1})).json()
    assert [alias["name"] for alias in page] == ["b"]


async def test_only_the_master_key_sees_aliases(admin: httpx2.AsyncClient) -> None:
    for headers in ({"authorization": ""}, {"authorization": "Bearer gw-other"}):
        assert (await admin.get("/v1/aliases", headers=headers)).status_code == 401


async def test_an_allow_list_may_name_an_alias_that_there_is(admin: httpx2.AsyncClient) -> None:
    for path in ("/v1/users", "/v1/keys"):
        answer = await admin.post(path, json={"user_id": "alice", "allowed_models": ["fast"]})
        assert answer.status_code == 422
        assert "'fast' is no alias" in str(answer.json()["detail"])
    await create(admin)
    for path in ("/v1/users", "/v1/keys"):
        answer = await admin.post(path, json={"user_id": "alice", "allowed_models": ["fast"]})
        assert answer.json()["allowed_models"] == ["fast"]
    answer = await admin.patch("/v1/users/alice", json={"allowed_models": ["fats", "openai:*"]})
    assert answer.status_code == 422
