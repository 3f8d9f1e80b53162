"""What the verbs of a request's life cost, as the engines count it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar.domain.audit import ActorKind, AuditEntry
from bursar.domain.budgets import AccountKey, pool_subject, user_subject
from bursar.domain.holds import Hold
from bursar.domain.ids import request_id
from bursar.domain.periods import Calendar, calendar
from bursar.domain.usage import Status, TokenUsage, UsageRecord
from tests.contracts.metering import MeteredCall
from tests.contracts.stores import dynamo_ports, new_table, signed_call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.contracts.stores import Ports

NOW = datetime(2026, 11, 22, 18, 30, 0, 123456, tzinfo=UTC)
USER = "3f2b8c1e-1111-4222-8333-444455556666"
MONTH = calendar(Calendar.MONTH, "UTC", NOW)
ACCOUNT = AccountKey(user_subject(USER), MONTH)


@pytest.fixture
async def metered(engine_endpoint: str) -> AsyncIterator[MeteredCall]:
    call = signed_call(engine_endpoint)
    yield MeteredCall(call)
    await call.close()


@pytest.fixture
async def ports(metered: MeteredCall) -> Ports:
    ports = dynamo_ports(metered, await new_table(metered))
    metered.reset()
    return ports


def a_hold() -> Hold:
    return Hold(request_id(NOW), Decimal("0.012345678901"), NOW + timedelta(minutes=15), USER)


def a_record(hold: Hold) -> UsageRecord:
    return UsageRecord(
        request_id=hold.hold_id,
        user_id=USER,
        created_at=NOW,
        endpoint="/v1/chat/completions",
        status=Status.DISCONNECTED,
        key_id="9d2b8c1e-1111-4222-8333-444455556666",
        provider="anthropic",
        model="claude-sonnet-4-5-20250929",
        usage=TokenUsage(
            123_456, 7_890, 100_000, cache_write_tokens=12_345, reasoning_tokens=4_321
        ),
        cost_usd=Decimal("0.003210987654"),
        is_estimated=True,
        is_streamed=True,
        error_message="The client went away. " * 10,
        duration_ms=123_456,
        first_token_ms=1_234,
        input_usd_per_million=Decimal("2.50"),
        output_usd_per_million=Decimal("10.00"),
        upstream_request_id="req_011CSHoEeqs5C35K2UUqR7Fy",
        rates=(("cached_input", Decimal("0.3")), ("cache_write", Decimal("3.75"))),
        price_version="anthropic:claude-sonnet-4-5@catalogue 2026-11-25",
        service_tier="priority",
    )


async def test_a_request_on_one_budget_costs_three_calls_and_three_write_units(
    ports: Ports, metered: MeteredCall
) -> None:
    async def request() -> None:
        hold = a_hold()
        assert await ports.ledger.reserve(ACCOUNT, hold, Decimal(100)) is None
        await ports.usage_log.record(a_record(hold))
        assert await ports.ledger.settle(ACCOUNT, hold, Decimal("0.003210987654"))

    await request()
    metered.reset()

    await request()

    assert metered.operations == {"UpdateItem": 2, "PutItem": 1}
    assert metered.write_units == {"UpdateItem": 2, "PutItem": 1}
    assert not metered.read_units


async def test_another_target_costs_one_call_and_one_write_unit_a_budget(
    ports: Ports, metered: MeteredCall
) -> None:
    hold = a_hold()
    await ports.ledger.reserve(ACCOUNT, hold, Decimal(100))
    metered.reset()

    assert await ports.ledger.adjust(ACCOUNT, hold, Decimal("0.5"), Decimal(100)) is None

    assert metered.operations == {"UpdateItem": 1}
    assert metered.write_units == {"UpdateItem": 1}
    assert not metered.read_units


@pytest.mark.parametrize(
    ("account", "in_flight"), [(ACCOUNT, 20), (AccountKey(pool_subject(USER), MONTH), 10)]
)
async def test_an_account_with_many_holds_in_flight_still_fits_in_one_unit(
    ports: Ports, metered: MeteredCall, account: AccountKey, in_flight: int
) -> None:
    await ports.ledger.open(account, Decimal("123.456789012345"))
    metered.reset()

    for _ in range(in_flight):
        await ports.ledger.reserve(account, a_hold(), Decimal(1_000))

    assert metered.write_units["UpdateItem"] == in_flight


async def test_a_first_request_of_a_period_creates_account_and_marks_once(
    ports: Ports, metered: MeteredCall
) -> None:
    hold = a_hold()

    await ports.ledger.reserve(ACCOUNT, hold, Decimal(100))
    assert metered.operations == {"UpdateItem": 1, "PutItem": 1}
    metered.reset()

    for _ in range(3):
        await ports.usage_log.record(replace(a_record(hold), request_id=request_id(NOW)))
    assert metered.operations == {"PutItem": 2 + 3}


async def test_a_keys_look_up_costs_half_units(ports: Ports, metered: MeteredCall) -> None:
    await ports.directory.link_digest("ab" * 32, "key")
    metered.reset()

    await ports.directory.key_id_of("ab" * 32)

    assert metered.read_units == {"GetItem": 0.5}


async def test_a_reported_event_is_one_transaction_of_two_items(
    ports: Ports, metered: MeteredCall
) -> None:
    first = a_record(a_hold())
    await ports.usage_log.enter("event-1", first, None)
    metered.reset()

    await ports.usage_log.enter("event-2", replace(first, request_id=request_id(NOW)), None)

    assert metered.operations == {"TransactWriteItems": 1}
    # AWS bills two units an item in a transaction, as dynoxide counts; DynamoDB Local counts one.
    assert metered.write_units["TransactWriteItems"] in {2, 4}


async def test_an_audit_entry_costs_one_call_and_one_write_unit(
    ports: Ports, metered: MeteredCall
) -> None:
    entry = AuditEntry(
        request_id=request_id(NOW),
        method="PATCH",
        route="/api/v1/projects/{project_id}/clients/{client_id}/budgets/{period}",
        status=200,
        actor_kind=ActorKind.PERSON,
        actor_id=USER,
        actor_name="somebody.with.a.long.name@a-long-domain.example.com",
        ids={"project_id": USER, "client_id": USER, "period": "monthly"},
    )

    await ports.audit_log.record(entry)

    assert metered.operations == metered.write_units == {"PutItem": 1}
