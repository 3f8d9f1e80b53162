from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

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
