from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bursar.prices.catalogue import CompiledCatalogue
from bursar.upstream.catalogue import load_catalogue
from bursar.upstream.provider_settings import ProviderSettings
from bursar.upstream.standings import Sources, standings_of, unknown_standings
from bursar.upstream.targets import resolve_targets
from functions.admin.app import create_app
from functions.admin.settings import AdminSettings
from tests.fakes.office import MASTER_KEY
from tests.integration.admin.conftest import client_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import httpx2

    from bursar.domain.provider_standings import ProviderStanding
    from bursar.services.admin_providers import Standings
    from tests.fakes.office import Office

KEY = "sk-canary-of-a-provider"


async def here() -> Sequence[ProviderStanding]:
    """One key in the settings, one in the environment, one among parameters."""
    catalogue = load_catalogue()
    settings = {"openai": ProviderSettings(api_key=KEY)}
    environ = {"GROQ_API_KEY": KEY}
    parameters = resolve_targets({"mistral": ProviderSettings(api_key=KEY)}, {}, catalogue)
    return standings_of(
        catalogue,
        resolve_targets(settings, environ, catalogue),
        parameters,
        Sources(settings, environ, "/bursar/dev/providers"),
    )


async def elsewhere() -> Sequence[ProviderStanding]:
    return unknown_standings(load_catalogue())


def client(office: Office, standings: Standings) -> httpx2.AsyncClient:
    services = replace(office.services, standings=standings, catalogue=CompiledCatalogue())
    app = create_app(services, office.platform, AdminSettings())
    return client_of(app, authorization=f"Bearer {MASTER_KEY}")


@pytest.fixture
async def told(office: Office) -> AsyncIterator[httpx2.AsyncClient]:
    async with client(office, here) as made:
        yield made


async def test_a_configured_provider_names_its_key_and_never_shows_it(
    told: httpx2.AsyncClient,
) -> None:
    answer = await told.get("/v1/providers")

    known = {each["name"]: each for each in answer.json()}
    assert {
        name: (each["has_key"], each["key_from"], each["key_name"])
        for name, each in known.items()
        if each["is_configured"]
    } == {
        "openai": (True, "settings", "providers.openai.api_key"),
        "groq": (True, "environment", "GROQ_API_KEY"),
        "mistral": (True, "parameters", "/bursar/dev/providers/mistral/api_key"),
    }
    assert known["anthropic"]["is_configured"] is False
    assert known["openai"]["host"] == "api.openai.com"
    assert list(known) == sorted(known)
    assert KEY not in answer.text


async def test_what_another_process_knows_is_not_made_up(office: Office) -> None:
    async with client(office, elsewhere) as admin:
        (openai,) = [
            it for it in (await admin.get("/v1/providers")).json() if it["name"] == "openai"
        ]

    assert (openai["is_configured"], openai["has_key"], openai["key_from"]) == (None, None, None)
    assert "chat" in openai["operations"]


async def test_one_provider_is_shown_by_its_name(told: httpx2.AsyncClient) -> None:
    assert (await told.get("/v1/providers/OpenAI")).json()["name"] == "openai"
    missing = await told.get("/v1/providers/nobody")
    assert (missing.status_code, missing.json()["detail"]) == (404, "There is no provider 'nobody'")


async def test_a_providers_models_are_the_catalogues_and_an_administrators(
    told: httpx2.AsyncClient,
) -> None:
    for model in ("openai:of-our-own", "openai:gpt-4o", "groq:another"):
        price = {"input_price_per_million": "1", "output_price_per_million": "2"}
        await told.post("/v1/pricing", json={"model_key": model, **price})

    every = (await told.get("/v1/providers/openai/models", params={"limit": 1000})).json()

    sources = {each["model"]: each["source"] for each in every}
    assert sources["openai:of-our-own"] == sources["openai:gpt-4o"] == "override"
    assert sources["openai:gpt-4o-mini"] == "catalogue"
    assert {name.partition(":")[0] for name in sources} == {"openai"}
    assert list(sources) == sorted(sources)
    page = await told.get("/v1/providers/openai/models", params={"skip": 2, "limit": 3})
    assert page.json() == every[2:5]


async def test_a_pattern_prices_the_models_that_are_known_by_name(
    told: httpx2.AsyncClient,
) -> None:
    price = {"input_price_per_million": "1", "output_price_per_million": "2"}
    await told.post("/v1/pricing", json={"model_key": "openai:gpt-4o*", **price})

    every = (await told.get("/v1/providers/openai/models", params={"limit": 1000})).json()

    assert {it["model"]: it["source"] for it in every}["openai:gpt-4o-mini"] == "pattern"
    assert not any("*" in it["model"] for it in every)


async def test_models_of_nobody_are_not_found_unless_somebody_priced_one(
    told: httpx2.AsyncClient,
) -> None:
    assert (await told.get("/v1/providers/my-server/models")).status_code == 404
    price = {"input_price_per_million": "0", "output_price_per_million": "0"}
    await told.post("/v1/pricing", json={"model_key": "my-server:llama", **price})
    (found,) = (await told.get("/v1/providers/my-server/models")).json()
    assert found["model"] == "my-server:llama"
    assert (await told.get("/v1/providers/ollama/models")).json() == []


async def test_the_catalogue_tells_its_own_price(told: httpx2.AsyncClient) -> None:
    price = {"input_price_per_million": "77", "output_price_per_million": "77"}
    await told.post("/v1/pricing", json={"model_key": "openai:gpt-4o", **price})

    found = (await told.get("/v1/pricing/catalogue", params={"model": "openai:gpt-4o"})).json()

    assert (found["source"], found["reason"]) == ("catalogue", None)
    assert found["price"]["input_price_per_million"] != 77
    unknown = (await told.get("/v1/pricing/catalogue", params={"model": "openai:gpt-0"})).json()
    assert (unknown["price"], "gpt-0" in unknown["reason"]) == (None, True)
    assert (await told.get("/v1/pricing/catalogue", params={"model": "gpt-4o"})).status_code == 400


async def test_without_a_catalogue_it_says_so(admin: httpx2.AsyncClient) -> None:
    found = (await admin.get("/v1/pricing/catalogue", params={"model": "openai:gpt-4o"})).json()
    assert (found["price"], found["reason"]) == (None, "this deployment uses no catalogue")
