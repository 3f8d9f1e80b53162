from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.projects import SpendPeriod
from bursar.domain.usage import TokenUsage
from bursar.vault import Binding, PrivateKey, open_v1, seal_v2
from tests.integration.asgi_client import client_of
from tests.integration.platform.direct import COST, MODEL, PROVIDER_KEY

if TYPE_CHECKING:
    import httpx2
    from fastapi import FastAPI

    from tests.contracts.stores import Ports
    from tests.fakes.office import Office
    from tests.integration.platform.direct import Direct

KEYS = "/api/v1/provider-keys"
EVENTS = "/api/v1/usage-events/"
LOW_ORDER = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


async def _challenge(anybody: httpx2.AsyncClient, key: PrivateKey) -> str:
    answer = await anybody.post("/api/v1/auth/", json={"encryption_key": str(key.public)})
    assert answer.status_code == 200, answer.text
    return open_v1(answer.json()["encrypted_challenge"], key)


async def _redeem(anybody: httpx2.AsyncClient, solved: str) -> httpx2.Response:
    return await anybody.post("/api/v1/auth/token", json={"solved_challenge": solved})


async def test_who_opens_the_vault_gets_a_token_for_a_day(
    direct: Direct, anybody: httpx2.AsyncClient, office: Office
) -> None:
    answer = await _redeem(anybody, await _challenge(anybody, direct.vault_key))

    assert answer.status_code == 200
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == 86_400
    headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
    office.wait(seconds=86_399)
    assert (await anybody.get(f"{KEYS}/openai", headers=headers)).status_code == 200
    office.wait(seconds=1)
    assert (await anybody.get(f"{KEYS}/openai", headers=headers)).status_code == 401


async def test_a_challenge_is_good_once_even_for_many_at_once(
    direct: Direct, anybody: httpx2.AsyncClient
) -> None:
    solved = await _challenge(anybody, direct.vault_key)

    answers = await asyncio.gather(*[_redeem(anybody, solved) for _ in range(6)])

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5


async def test_a_challenge_expires(
    direct: Direct, anybody: httpx2.AsyncClient, office: Office
) -> None:
    solved = await _challenge(anybody, direct.vault_key)
    office.wait(seconds=office.platform.rules.challenge_s)

    assert (await _redeem(anybody, solved)).status_code == 401


async def test_an_unknown_public_key_is_told_in_the_words_that_clients_look_for(
    anybody: httpx2.AsyncClient,
) -> None:
    body = {"encryption_key": str(PrivateKey.generate().public), "key_type": "RSA"}

    answer = await anybody.post("/api/v1/auth/", json=body)

    assert answer.status_code == 404
    assert answer.json()["detail"] == "No project found for the provided public key"


@pytest.mark.parametrize("key", ["", "x", "AAAA", LOW_ORDER, LOW_ORDER[:-1], f" {LOW_ORDER}"])
async def test_what_is_no_public_key_is_a_bad_request(
    anybody: httpx2.AsyncClient, key: str
) -> None:
    answer = await anybody.post("/api/v1/auth/", json={"encryption_key": key})

    assert answer.status_code in {400, 422}


async def test_challenges_are_limited_for_a_project_and_for_whoever_guesses(
    direct: Direct, anybody: httpx2.AsyncClient, office: Office
) -> None:
    object.__setattr__(office.platform.rules, "challenge_rpm", 3)
    for key in (direct.vault_key, PrivateKey.generate()):
        body = {"encryption_key": str(key.public)}
        answers = [await anybody.post("/api/v1/auth/", json=body) for _ in range(4)]
        assert [answer.status_code == 429 for answer in answers] == [False, False, False, True]
        assert int(answers[-1].headers["retry-after"]) > 0


async def test_the_sealed_key_is_opened_by_the_client_only(direct: Direct) -> None:
    async with await direct.client() as client:
        answer = await client.get(f"{KEYS}/openai", headers={"AnyLLM-Client-Name": "web"})

    assert answer.status_code == 200
    body = answer.json()
    assert open_v1(body["encrypted_key"], direct.vault_key) == PROVIDER_KEY
    assert (body["id"], body["project_id"]) == (direct.key_id, direct.project_id)
    assert body["created_at"].endswith("Z")
    key = await direct.office.platform.platform.provider_keys(direct.project_id).get(body["id"])
    assert key is not None
    assert key.last_used_at == direct.office.now


async def test_there_is_no_key_of_another_provider_nor_an_archived_one(direct: Direct) -> None:
    async with await direct.client() as client:
        assert (await client.get(f"{KEYS}/anthropic")).status_code == 404
        keys = direct.office.platform.platform.provider_keys(direct.project_id)
        await keys.change(direct.key_id, {"archived_at": direct.office.now})
        answer = await client.get(f"{KEYS}/openai")

    assert answer.status_code == 404
    assert isinstance(answer.json()["detail"], str)


async def test_a_key_in_format_v2_goes_to_clients_that_know_it(direct: Direct) -> None:
    keys = direct.office.platform.platform.provider_keys(direct.project_id)
    binding = Binding(direct.project_id, "openai", "default", 1)
    sealed = seal_v2(PROVIDER_KEY, direct.vault_key.public, binding)
    await keys.change(direct.key_id, {"encrypted_key": sealed})
    async with await direct.client() as client:
        refused = await client.get(f"{KEYS}/openai")
        given = await client.get(f"{KEYS}/openai", headers={"Bursar-Vault-Formats": "1,2"})

    assert refused.status_code == 409
    assert "--format 1" in refused.json()["detail"]
    assert given.json()["encrypted_key"] == sealed


async def test_a_token_dies_with_the_vaults_key_and_lives_through_a_grace_period(
    direct: Direct, anybody: httpx2.AsyncClient
) -> None:
    platform, office = direct.office.platform.platform, direct.office
    token, fresh = await direct.token(), PrivateKey.generate()
    headers = {"authorization": f"Bearer {token}"}
    old = {
        "encryption_key": str(fresh.public),
        "previous_encryption_key": str(direct.vault_key.public),
        "previous_valid_until": office.now + timedelta(hours=1),
    }
    await platform.projects.change(direct.project_id, old)

    assert (await anybody.get(f"{KEYS}/openai", headers=headers)).status_code == 200
    assert await direct.token()
    office.wait(hours=1)
    assert (await anybody.get(f"{KEYS}/openai", headers=headers)).status_code == 401
    body = {"encryption_key": str(direct.vault_key.public)}
    answer = await anybody.post("/api/v1/auth/", json=body)
    assert answer.status_code == 404
    assert "No project found" in answer.text


async def test_the_oldest_sdks_prove_themselves_with_each_request(
    direct: Direct, anybody: httpx2.AsyncClient
) -> None:
    async def headers(key: PrivateKey) -> dict[str, str]:
        solved = await _challenge(anybody, direct.vault_key)
        return {"encryption-key": str(key.public), "AnyLLM-Challenge-Response": solved}

    proven = await headers(direct.vault_key)
    assert (await anybody.get(f"{KEYS}/openai", headers=proven)).status_code == 200
    assert (await anybody.get(f"{KEYS}/openai", headers=proven)).status_code == 401
    stranger = await headers(PrivateKey.generate())
    assert (await anybody.get(f"{KEYS}/openai", headers=stranger)).status_code == 401
    proven = await headers(direct.vault_key)
    assert (await anybody.post(EVENTS, json=direct.event(), headers=proven)).status_code == 204
    assert len(await direct.records()) == 1


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer bst-x"}])
@pytest.mark.parametrize("path", [f"{KEYS}/openai", EVENTS, "/v1/traces", "/api/v1/leases/"])
async def test_without_a_projects_token_there_is_nothing(
    anybody: httpx2.AsyncClient, headers: dict[str, str], path: str
) -> None:
    method = "GET" if path.startswith(KEYS) else "POST"
    body = {"amount": 1, "duration_sec": 1} if "leases" in path else {}

    answer = await anybody.request(method, path, json=body, headers=headers)

    assert answer.status_code in {401, 422}


async def test_an_exhausted_budget_refuses_the_sealed_key_with_the_reason(direct: Direct) -> None:
    await direct.budget("25")
    async with await direct.client() as client:
        assert (await client.get(f"{KEYS}/openai")).status_code == 200
        await client.post(EVENTS, json=direct.event())
        answer = await client.get(f"{KEYS}/openai")
        direct.office.wait(days=1)
        direct.office.wait(seconds=-1)
        again = client_of(direct.app, authorization=f"Bearer {await direct.token()}")
        tomorrow = await again.get(f"{KEYS}/openai")

    assert answer.status_code == 403
    detail = answer.json()["detail"]
    assert "daily budget" in detail
    assert "$25" in detail
    assert "2026-01-11T00:00:00Z" in detail
    assert tomorrow.status_code == 200


async def test_a_clients_budget_is_that_clients_only(direct: Direct) -> None:
    await direct.budget("25", client_id=direct.client_id)
    async with await direct.client() as client:
        await client.post(EVENTS, json=direct.event(client_name="web"))
        mine = await client.get(f"{KEYS}/openai", headers={"AnyLLM-Client-Name": "web"})
        invented = await client.get(f"{KEYS}/openai", headers={"AnyLLM-Client-Name": "new"})

    assert mine.status_code == 403
    assert invented.status_code == 403, "an invented name counts for the default client"


async def test_an_event_is_recorded_priced_and_charged_in_every_account(direct: Direct) -> None:
    await direct.budget("1000")
    await direct.budget("1000", SpendPeriod.MONTHLY)
    await direct.budget("1000", SpendPeriod.WEEKLY, client_id=direct.client_id)
    performance = {
        "time_to_first_token_ms": 127.67,
        "total_duration_ms": 2000.5,
        "tokens_per_second": 54.674,
        "chunks_received": 6,
        "avg_chunk_size": 1.17,
    }
    data = {"input_tokens": "11", "output_tokens": "7", "performance": performance}
    async with await direct.client() as client:
        answer = await client.post(EVENTS, json=direct.event(client_name="web", data=data))

    assert answer.status_code == 204
    (record,) = await direct.records()
    assert record.usage == TokenUsage(11, 7)
    assert record.cost_usd == COST
    assert (record.provider, record.model, record.endpoint) == ("openai", MODEL, EVENTS)
    assert (record.client_id, record.provider_key_id) == (direct.client_id, direct.key_id)
    assert (record.first_token_ms, record.duration_ms) == (127, 2000)
    assert record.tokens_per_second == Decimal("54.67")
    assert record.is_streamed
    balances = await direct.balances(direct.client_id)
    assert [balance.committed_usd for balance in balances] == [COST] * 4
    assert not any(balance.holds for balance in balances)


async def test_an_event_is_counted_once_however_often_and_concurrently_it_comes(
    direct: Direct,
) -> None:
    await direct.budget("1000")
    event = direct.event()
    async with await direct.client() as client:
        answers = await asyncio.gather(*[client.post(EVENTS, json=event) for _ in range(8)])
        answers.append(await client.post(EVENTS, json=event))

    assert {answer.status_code for answer in answers} == {204}
    assert len(await direct.records()) == 1
    balances = await direct.balances()
    assert [balance.committed_usd for balance in balances] == [COST, COST]
    assert not any(balance.holds for balance in balances)


async def test_late_events_are_accepted_beyond_every_limit(direct: Direct) -> None:
    await direct.budget("1")
    keys = direct.office.platform.platform.provider_keys(direct.project_id)
    await keys.change(direct.key_id, {"archived_at": direct.office.now})
    async with await direct.client() as client:
        for _ in range(2):
            assert (await client.post(EVENTS, json=direct.event())).status_code == 204

    assert [balance.committed_usd for balance in await direct.balances()] == [2 * COST] * 2


async def test_an_event_of_a_model_without_a_price_is_kept_without_a_cost(direct: Direct) -> None:
    async with await direct.client() as client:
        answer = await client.post(EVENTS, json=direct.event(model="new"))

    assert answer.status_code == 204
    (record,) = await direct.records()
    assert record.cost_usd is None
    assert await direct.balances() == []


async def test_a_key_of_another_project_is_not_recorded(direct: Direct) -> None:
    async with await direct.client() as client:
        await client.post(EVENTS, json=direct.event(provider_key_id="of-somebody-else"))

    (record,) = await direct.records()
    assert record.provider_key_id is None


CANARY = "What did the patient say? canary-7f"


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": CANARY},
        {"model": CANARY},
        {"provider": CANARY},
        {"id": CANARY},
        {"client_name": CANARY},
        {"provider_key_id": CANARY},
        {"lease_id": CANARY},
        {"extra_metadata": {CANARY: CANARY}},
        {"data": {"input_tokens": 1, "output_tokens": 1, "answer": CANARY}},
        {"data": {"input_tokens": 1, "output_tokens": 1, "performance": {"note": CANARY}}},
        {"data": {"output_tokens": 1, "performance": {"total_duration_ms": CANARY}}},
        {"model": CANARY * 500},
    ],
)
async def test_no_text_can_be_kept_by_way_of_an_event(
    direct: Direct, ports: Ports, fields: dict[str, Any]
) -> None:
    async with await direct.client() as client:
        answer = await client.post(EVENTS, json=direct.event(**fields))

    assert answer.status_code == 204, answer.text
    (record,) = await direct.records()
    assert "canary" not in repr(record)
    assert "canary" not in json.dumps(getattr(ports.usage_log, "_events", []), default=list)


async def test_an_odd_id_is_still_counted_once(direct: Direct) -> None:
    async with await direct.client() as client:
        for _ in range(2):
            await client.post(EVENTS, json=direct.event(id=CANARY))

    assert len(await direct.records()) == 1


async def test_a_person_cannot_use_a_projects_routes_nor_a_project_a_persons(
    direct: Direct, signed_in: Any, app: FastAPI
) -> None:
    person = await signed_in("ada@example.com")
    project = client_of(app, authorization=f"Bearer {await direct.token()}")

    assert (await person.get(f"{KEYS}/openai")).status_code == 401
    assert (await project.get("/api/v1/accounts/me")).status_code == 401


@pytest.mark.parametrize("model", [f"{MODEL}-2024-07-18", f"{MODEL}-20240718"])
async def test_a_dated_release_has_the_price_of_its_model(direct: Direct, model: str) -> None:
    async with await direct.client() as client:
        await client.post(EVENTS, json=direct.event(model=model))

    (record,) = await direct.records()
    assert (record.model, record.cost_usd) == (model, COST)


async def test_another_model_does_not_borrow_a_price(direct: Direct) -> None:
    async with await direct.client() as client:
        await client.post(EVENTS, json=direct.event(model=f"{MODEL}-turbo"))

    (record,) = await direct.records()
    assert record.cost_usd is None


async def test_an_emptied_key_is_none(direct: Direct) -> None:
    keys = direct.office.platform.platform.provider_keys(direct.project_id)
    await keys.change(direct.key_id, {"encrypted_key": ""})
    async with await direct.client() as client:
        answer = await client.get(f"{KEYS}/openai")

    assert answer.status_code == 404
    assert "encrypted_key" not in answer.text
