"""What a project's request costs in DynamoDB: its budgets' reservations, and nothing more."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar import bootstrap
from bursar.dialects.openai_chat import parse_chat
from bursar.domain.errors import Refused
from bursar.domain.ids import request_id
from bursar.domain.pricing import Price
from bursar.domain.projects import SpendPeriod
from bursar.services.policy import Policy
from bursar.settings import Settings
from bursar.vault import AnyLlmKey
from tests.contracts.metering import MeteredCall
from tests.contracts.stores import new_table, signed_call
from tests.contracts.test_request_units import BODY
from tests.fakes.scripted_upstream import ScriptedUpstream
from tests.fakes.sealed_project import SealedProject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bursar.bootstrap import ProxyServices, Storage

READS = ("GetItem", "Query")


@pytest.fixture
async def metered(engine_endpoint: str) -> AsyncIterator[MeteredCall]:
    call = signed_call(engine_endpoint)
    yield MeteredCall(call)
    await call.close()


@pytest.fixture
async def storage(metered: MeteredCall) -> Storage:
    return bootstrap.connect(metered, await new_table(metered))


@pytest.fixture
async def project(storage: Storage) -> SealedProject:
    """A sealed key of the mock's, and two budgets."""
    now = bootstrap.utc_now()
    await storage.directory.prices.put(Price("mock:echo", Decimal(1), Decimal(2), now, now))
    project = await SealedProject.founded(storage, bootstrap.utc_now)
    await project.seal("mock")
    for period in (SpendPeriod.DAILY, SpendPeriod.MONTHLY):
        await project.budget("100", period=period)
    return project


def process(storage: Storage) -> ProxyServices:
    """A process that has just started."""
    settings = Settings(master_key="unused", mock=True, policy=Policy(directory_age_s=300))
    reached = bootstrap.providers(settings, {}, ScriptedUpstream())
    return bootstrap.proxy_services(settings, storage, reached)


async def ask(services: ProxyServices, key: str, **headers: str) -> None:
    sent = {"authorization": f"Bearer {key}", **headers}
    await services.completion.serve(request_id(bootstrap.utc_now()), sent, BODY, parse_chat)


@pytest.mark.parametrize("kind", ["virtual key", "ANY_LLM_KEY"])
async def test_a_process_that_knows_a_project_only_reserves_records_and_settles(
    storage: Storage, project: SealedProject, metered: MeteredCall, kind: str
) -> None:
    key = project.vault.text() if kind == "ANY_LLM_KEY" else await project.issue()
    services = process(storage)
    await ask(services, key)
    metered.reset()
    await ask(services, key, **{"anyllm-client-name": "unknown"})  # which reads the clients
    assert metered.operations.pop("Query") == 1
    for _ in range(3):
        await ask(services, key, **{"anyllm-client-name": "unknown"})
    # Of the user and of each budget one to reserve and one to settle; the record is put.
    assert metered.operations == Counter(UpdateItem=4 * 2 * 3, PutItem=4)


async def test_the_first_request_of_a_virtual_key_reads_each_thing_once(
    storage: Storage, project: SealedProject, metered: MeteredCall
) -> None:
    key = await project.issue()
    metered.reset()
    await ask(process(storage), key)
    # Link, key, project, user, share and price; provider keys and budgets.
    assert {name: metered.operations[name] for name in READS} == {"GetItem": 6, "Query": 2}
    assert sum(metered.read_units.values()) == 8 * 0.5


async def test_guesses_of_vault_keys_cost_one_read_and_none_when_repeated(
    storage: Storage, metered: MeteredCall
) -> None:
    services, guess = process(storage), AnyLlmKey.generate().text()
    metered.reset()
    for _ in range(3):
        with pytest.raises(Refused):
            await ask(services, guess)
    assert metered.operations == Counter(GetItem=1)
