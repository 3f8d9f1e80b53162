"""Rankings as Cohere's and Voyage's own SDKs ask for them, through the catalogue's endpoints.

The requests are recorded from cohere 7.3.1, both of its clients, and voyageai 0.5.0.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from bursar.domain.price_rates import Unit
from bursar.domain.upstream import Target
from bursar.upstream.catalogue import load_catalogue
from functions.proxy.app import create_app
from tests.fakes.scripted_upstream import ScriptedAnswer
from tests.fakes.wire_files import wire_json
from tests.fakes.world import PROVIDER_KEY, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

COHERE = "https://api.cohere.com/v2/rerank"
VOYAGE = "https://api.voyageai.com/v1/rerank"


@pytest.fixture
async def world() -> World:
    world = World()
    targets: Any = world.targets._by_provider
    for name in ("cohere", "voyage"):
        provider = load_catalogue()[name]
        targets[name] = Target(provider, provider.base_url or "", PROVIDER_KEY)
    await world.price("cohere:rerank-v3.5", "0", "0", rates={Unit.RERANK_SEARCH: Decimal(2)})
    await world.price("voyage:rerank-2", "0.05", "0")
    return world


@pytest.fixture
async def client(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=create_app(world.proxy_services()))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


def _says(vendor: str) -> bytes:
    return json.dumps(wire_json(f"rerank/{vendor}.json")["answer"]).encode()


@pytest.mark.parametrize(
    ("name", "vendor", "url", "cost_usd"),
    [
        ("cohere-rerank-v2", "cohere", COHERE, "0.002"),
        ("cohere-rerank-v1", "cohere", COHERE, "0.002"),
        ("voyage-rerank", "voyage", VOYAGE, "0.0000013"),
    ],
)
async def test_a_vendors_sdk_is_served_and_pays(
    world: World, client: httpx2.AsyncClient, *, name: str, vendor: str, url: str, cost_usd: str
) -> None:
    recorded = wire_json(f"clients/{name}.json")
    world.upstream.answer = ScriptedAnswer(script=[_says(vendor)])
    headers = recorded["headers"] | {"authorization": f"Bearer {await world.someone('1')}"}
    answer = await client.post(recorded["path"], json=recorded["body"], headers=headers)
    assert (answer.status_code, answer.content) == (200, _says(vendor))
    (sent,) = world.upstream.requests
    assert (sent.url, sent.headers["authorization"]) == (url, f"Bearer {PROVIDER_KEY}")
    model = recorded["body"]["model"].partition(":")[2]
    assert world.upstream.sent == recorded["body"] | {"model": model}
    record = await world.record()
    assert (record.cost_usd, record.is_estimated) == (Decimal(cost_usd), False)


async def test_voyage_is_asked_in_its_own_words_by_clients_of_others(
    world: World, client: httpx2.AsyncClient
) -> None:
    world.upstream.answer = ScriptedAnswer(script=[_says("voyage")])
    body = {"model": "voyage:rerank-2", "query": "q", "documents": ["a", "b"], "top_n": 1}
    headers = {"authorization": f"Bearer {await world.someone('1')}"}
    answer = await client.post("/v1/rerank", json=body, headers=headers)
    assert answer.status_code == 200
    assert world.upstream.sent == {
        "model": "rerank-2",
        "query": "q",
        "documents": ["a", "b"],
        "top_k": 1,
    }
