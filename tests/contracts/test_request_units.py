"""What whole requests cost in DynamoDB, through the gateway's own services."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from bursar import bootstrap
from bursar.dialects.openai_chat import parse_chat
from bursar.domain.ids import request_id
from bursar.domain.periods import Calendar
from bursar.services.admin_budgets import BudgetRequest
from bursar.services.admin_keys import KeyRequest
from bursar.services.admin_prices import PriceRequest
from bursar.services.admin_users import UserRequest
from bursar.services.answers import WholeAnswer
from bursar.services.policy import Policy
from bursar.settings import Settings
from infra.cost import READ_UNITS_A_COLD_REQUEST, WRITE_UNITS_A_REQUEST
from tests.contracts.metering import MeteredCall
from tests.contracts.stores import new_table, signed_call
from tests.fakes.scripted_upstream import ScriptedUpstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bursar.bootstrap import Storage

BODY = msgspec.json.encode(
    {"model": "mock:echo", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 50}
)


@pytest.fixture
async def metered(engine_endpoint: str) -> AsyncIterator[MeteredCall]:
    call = signed_call(engine_endpoint)
    yield MeteredCall(call)
    await call.close()


@pytest.fixture
async def storage(metered: MeteredCall) -> Storage:
    return bootstrap.connect(metered, await new_table(metered))


@pytest.fixture
async def key(storage: Storage) -> str:
    """A user's key; the user has a budget of their own."""
    admin = bootstrap.admin_services(Settings(master_key="a-key-of-this-test"), storage)
    limit = BudgetRequest(max_budget_usd=Decimal(100), calendar=Calendar.MONTH)
    budget = (await admin.budgets.create(limit)).budget
    await admin.users.create(UserRequest("alice", budget_id=budget.budget_id))
    await admin.prices.set(PriceRequest("mock:echo", Decimal(1), Decimal(2)))
    return (await admin.keys.create(KeyRequest(user_id="alice"))).virtual_key


async def ask(storage: Storage, key: str, *, directory_age_s: float, times: int = 1) -> None:
    """Requests through a process that has just started."""
    settings = Settings(
        master_key="a-key-of-this-test",
        mock=True,
        policy=Policy(directory_age_s=directory_age_s),
    )
    reached = bootstrap.providers(settings, {}, ScriptedUpstream())
    services = bootstrap.proxy_services(settings, storage, reached)
    for _ in range(times):
        headers = {"authorization": f"Bearer {key}"}
        identifier = request_id(bootstrap.utc_now())
        answer = await services.completion.serve(identifier, headers, BODY, parse_chat)
        assert isinstance(answer, WholeAnswer)


async def test_a_request_costs_the_units_that_the_cost_page_counts(
    storage: Storage, key: str, metered: MeteredCall
) -> None:
    await ask(storage, key, directory_age_s=0)
    metered.reset()
    await ask(storage, key, directory_age_s=300)
    cold = (sum(metered.read_units.values()), sum(metered.write_units.values()))
    assert cold == (float(READ_UNITS_A_COLD_REQUEST), WRITE_UNITS_A_REQUEST)


async def test_a_process_that_knows_its_caller_reads_nothing(
    storage: Storage, key: str, metered: MeteredCall
) -> None:
    await ask(storage, key, directory_age_s=300)
    metered.reset()
    await ask(storage, key, directory_age_s=300, times=5)
    assert sum(metered.read_units.values()) == float(READ_UNITS_A_COLD_REQUEST)
    assert sum(metered.write_units.values()) == 5 * WRITE_UNITS_A_REQUEST
