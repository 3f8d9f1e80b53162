from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bursar.prices.catalogue import CompiledCatalogue
from functions.admin.app import create_app
from functions.admin.settings import AdminSettings
from tests.fakes.office import MASTER_KEY
from tests.integration.admin.conftest import client_of

if TYPE_CHECKING:
    import httpx2

    from tests.fakes.office import Office


def priced(model_key: str = "openai:gpt-x", **fields: Any) -> dict[str, Any]:
    prices = {"input_price_per_million": 0.15, "output_price_per_million": 0.6}
    return {"model_key": model_key} | prices | fields


async def test_setting_a_price_answers_with_all_of_it(admin: httpx2.AsyncClient) -> None:
    answer = await admin.post("/v1/pricing", json=priced(cached_input_price_per_million=0.075))
    assert answer.status_code == 200
    assert answer.json() == {
        "model_key": "openai:gpt-x",
        "input_price_per_million": 0.15,
        "output_price_per_million": 0.6,
        "cached_input_price_per_million": 0.075,
        "context_window_tokens": None,
        "max_output_tokens": None,
        "rates": {},
        "tiers": [],
        "service_tiers": {},
        "effective_from": "2026-01-10T12:00:00Z",
        "upcoming": [],
        "created_at": "2026-01-10T12:00:00Z",
        "updated_at": "2026-01-10T12:00:00Z",
    }


async def test_a_second_price_replaces_the_first(admin: httpx2.AsyncClient, office: Office) -> None:
    await admin.post("/v1/pricing", json=priced(max_output_tokens=100))
    office.wait(hours=1)
    replaced = (await admin.post("/v1/pricing", json=priced(output_price_per_million=1))).json()
    assert (replaced["output_price_per_million"], replaced["max_output_tokens"]) == (1, None)
    assert replaced["created_at"] == "2026-01-10T12:00:00Z"
    assert replaced["updated_at"] == "2026-01-10T13:00:00Z"
    assert (await admin.get("/v1/pricing")).json() == [replaced]


@pytest.mark.parametrize(
    "path",
    [
        "openrouter:meta/llama-3",
        "openrouter:meta%2Fllama-3",
        "openrouter%3Ameta%2Fllama-3",
        "openrouter/meta/llama-3",
    ],
)
async def test_a_model_with_slashes_is_addressable(admin: httpx2.AsyncClient, path: str) -> None:
    await admin.post("/v1/pricing", json=priced("openrouter:meta/llama-3"))
    found = await admin.get(f"/v1/pricing/{path}")
    assert found.json()["model_key"] == "openrouter:meta/llama-3"
    assert (await admin.delete(f"/v1/pricing/{path}")).status_code == 204
    assert (await admin.get(f"/v1/pricing/{path}")).status_code == 404


async def test_an_older_key_is_stored_in_the_newer_form(admin: httpx2.AsyncClient) -> None:
    answer = await admin.post("/v1/pricing", json=priced("openai/gpt-x"))
    assert answer.json()["model_key"] == "openai:gpt-x"


@pytest.mark.parametrize("model_key", ["gpt-x", ":gpt-x", "openai:", "", "openai", None, 5])
async def test_a_model_without_a_provider_does_not_validate(
    admin: httpx2.AsyncClient, model_key: object
) -> None:
    answer = await admin.post("/v1/pricing", json=priced() | {"model_key": model_key})
    assert answer.status_code == 422
    assert answer.json()["error"]["param"] == "model_key"


@pytest.mark.parametrize(
    "field",
    ["input_price_per_million", "output_price_per_million", "cached_input_price_per_million"],
)
async def test_prices_are_not_negative(admin: httpx2.AsyncClient, field: str) -> None:
    answer = await admin.post("/v1/pricing", json=priced() | {field: -0.01})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"] == "Input should be greater than or equal to 0"


async def test_prices_below_the_smallest_kept_are_rounded_up(admin: httpx2.AsyncClient) -> None:
    body = (
        b'{"model_key": "openai:gpt-x", "input_price_per_million": 1e-30, '
        b'"output_price_per_million": 0}'
    )
    answer = await admin.post("/v1/pricing", content=body)
    assert b'"input_price_per_million":1E-12,' in answer.content


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("model_key", ["openai:gpt-x", "gpt-x"])
async def test_an_unknown_price_is_not_found(
    admin: httpx2.AsyncClient, method: str, model_key: str
) -> None:
    answer = await admin.request(method, f"/v1/pricing/{model_key}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"Pricing for model '{model_key}' not found"


async def test_anybody_may_read_prices_and_only_the_master_key_change_them(
    admin: httpx2.AsyncClient, anybody: httpx2.AsyncClient
) -> None:
    await admin.post("/v1/pricing", json=priced())
    assert (await anybody.get("/v1/pricing")).status_code == 200
    assert (await anybody.get("/v1/pricing/openai:gpt-x")).status_code == 200
    assert (await anybody.post("/v1/pricing", json=priced())).status_code == 401
    assert (await anybody.delete("/v1/pricing/openai:gpt-x")).status_code == 401


async def test_a_deployment_can_keep_its_prices_to_itself(office: Office) -> None:
    app = create_app(office.services, office.platform, AdminSettings(public_prices=False))
    async with client_of(app) as anybody:
        assert (await anybody.get("/v1/pricing")).status_code == 401
        assert (await anybody.get("/v1/pricing/openai:gpt-x")).status_code == 401
    async with client_of(app, **{"x-api-key": MASTER_KEY}) as admin:
        assert (await admin.get("/v1/pricing")).json() == []


FULL: dict[str, Any] = {
    "rates": {"cache_write": "3.75", "web_search": 10, "audio": "0.36"},
    "tiers": [{"above_input_tokens": 200000, "rates": {"input": 6, "output": "22.5"}}],
    "service_tiers": {"batch": {"rates": {"input": 0.075}, "tiers": []}},
}


async def test_every_unit_has_a_rate_and_reads_back_as_it_was_set(
    admin: httpx2.AsyncClient,
) -> None:
    answer = await admin.post("/v1/pricing", json=priced(**FULL))
    assert answer.status_code == 200, answer.text
    set_price = answer.json()
    assert set_price["rates"] == {"cache_write": 3.75, "web_search": 10, "audio": 0.36}
    assert set_price["tiers"] == [
        {"above_input_tokens": 200000, "rates": {"input": 6, "output": 22.5}}
    ]
    assert set_price["service_tiers"] == {"batch": {"rates": {"input": 0.075}, "tiers": []}}
    assert (await admin.get("/v1/pricing/openai:gpt-x")).json() == set_price
    replaced = (await admin.post("/v1/pricing", json=priced())).json()
    assert (replaced["rates"], replaced["tiers"], replaced["service_tiers"]) == ({}, [], {})


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"rates": {"input": 1}}, "rates"),
        ({"rates": {"page": 1}}, "rates"),
        ({"rates": {"cache_write": -1}}, "rates"),
        ({"tiers": [{"above_input_tokens": -1, "rates": {}}]}, "tiers"),
        ({"service_tiers": {"no spaces": {}}}, "service_tiers"),
    ],
)
async def test_rates_that_cannot_be_are_refused_by_name(
    admin: httpx2.AsyncClient, fields: dict[str, Any], where: str
) -> None:
    answer = await admin.post("/v1/pricing", json=priced(**fields))
    assert answer.status_code == 422
    assert answer.json()["error"]["param"] == where


async def test_a_price_can_be_announced_and_its_history_is_kept(
    admin: httpx2.AsyncClient, office: Office
) -> None:
    await admin.post("/v1/pricing", json=priced())
    later = priced(input_price_per_million=9, effective_from="2026-01-11T00:00:00Z")
    announced = (await admin.post("/v1/pricing", json=later)).json()
    assert announced["input_price_per_million"] == 0.15
    assert announced["upcoming"][0]["input_price_per_million"] == 9
    office.wait(days=1)
    assert (await admin.get("/v1/pricing/openai:gpt-x")).json()["input_price_per_million"] == 9
    await admin.delete("/v1/pricing/openai:gpt-x")

    history = (await admin.get("/v1/pricing/openai%3Agpt-x/history")).json()

    rates = [each["price"] and each["price"]["input_price_per_million"] for each in history]
    assert rates == [None, 9, 0.15]
    assert history[0]["stated_at"] == "2026-01-11T12:00:00Z"
    assert (await admin.get("/v1/pricing/openai:other/history")).status_code == 404


async def test_a_price_in_the_past_is_refused(admin: httpx2.AsyncClient) -> None:
    answer = await admin.post("/v1/pricing", json=priced(effective_from="2026-01-09T00:00:00Z"))
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "effective_from"


async def test_a_pattern_prices_what_it_covers_and_says_so(admin: httpx2.AsyncClient) -> None:
    await admin.post("/v1/pricing", json=priced("openai:gpt-*"))
    listed = (await admin.get("/v1/pricing")).json()
    assert [price["model_key"] for price in listed] == ["openai:gpt-*"]
    found = (await admin.get("/v1/pricing/effective?model=openai:gpt-9")).json()
    assert (found["source"], found["price"]["model_key"]) == ("pattern", "openai:gpt-*")
    assert found["version"] == "openai:gpt-*@2026-01-10T12:00:00Z"
    assert (await admin.delete("/v1/pricing/openai:gpt-*")).status_code == 204


async def test_what_has_no_price_is_told_with_its_reason(anybody: httpx2.AsyncClient) -> None:
    found = (await anybody.get("/v1/pricing/effective", params={"model": "openai/gpt-9"})).json()
    assert found == {
        "model": "openai:gpt-9",
        "source": None,
        "version": None,
        "price": None,
        "catalogue_date": None,
        "reason": "no price is set, and this deployment uses no catalogue",
    }
    assert (await anybody.get("/v1/pricing/effective?model=gpt-9")).status_code == 400


async def test_the_catalogues_prices_are_shown_where_no_other_is_set(office: Office) -> None:
    services = replace(office.services, catalogue=CompiledCatalogue())
    app = create_app(services, office.platform, AdminSettings())
    async with client_of(app) as anybody:
        answer = await anybody.get("/v1/pricing/effective?model=groq:whisper-large-v3")
    found = answer.json()
    assert found["source"] == "catalogue"
    assert found["version"] == f"groq:whisper-large-v3@catalogue {found['catalogue_date']}"
    assert found["price"]["input_price_per_million"] is None
    assert found["price"]["rates"] == {"audio": 0.111}
