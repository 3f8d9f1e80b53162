"""The page on scale is what its script computes, from what the code and the template do."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bursar.domain.budgets import AccountKey, pool_subject, user_subject
from bursar.domain.holds import Hold
from bursar.domain.ids import request_id
from infra import cost, scale
from tests.contracts.stores import dynamo_ports, new_table, signed_call
from tests.contracts.test_write_units import MONTH, NOW, USER
from tests.infrastructure.template import template

if TYPE_CHECKING:
    from infra.scale import Account


def test_the_page_is_fresh() -> None:
    assert scale.PAGE.read_text(encoding="utf-8") == scale.document(), "run python infra/scale.py"


@pytest.mark.parametrize("account", [scale.OWN, scale.SHARED])
@pytest.mark.parametrize("seconds", scale.SECONDS)
def test_random_arrivals_at_the_formulas_rate_use_the_whole_partition(
    account: Account, seconds: float
) -> None:
    rate = scale.sustained(account, seconds)
    assert scale.simulated_load(account, seconds, rate) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("account", [scale.OWN, scale.SHARED])
def test_a_tenth_more_than_that_is_throttled(account: Account) -> None:
    rate = 1.1 * scale.sustained(account, 10)
    assert scale.simulated_load(account, 10, rate) > 1.1


def test_few_in_flight_cost_one_unit_an_update() -> None:
    assert (scale.OWN.units(0), scale.OWN.units(22), scale.OWN.units(23)) == (1, 1, 2)
    assert scale.sustained(scale.OWN, 0.001) == pytest.approx(500, rel=0.001)


def test_longer_requests_and_larger_holds_sustain_fewer() -> None:
    rates = [scale.sustained(scale.OWN, seconds) for seconds in scale.SECONDS]
    assert rates == sorted(rates, reverse=True)
    assert all(
        scale.sustained(scale.SHARED, it) < scale.sustained(scale.OWN, it) for it in scale.SECONDS
    )


def test_the_units_are_those_that_requests_are_paid_for() -> None:
    assert scale.ACCOUNT_WRITES + scale.RECORD_UNITS == cost.WRITE_UNITS_A_REQUEST
    assert Decimal(str(scale.WRITE_UNIT_USD)) == cost.WRITES.usd


def test_the_templates_caps_are_the_pages() -> None:
    parameters = template()["Parameters"]
    assert parameters["TableMaxWriteUnits"]["Default"] == scale.TEMPLATE_WRITE_UNITS
    assert parameters["ApiRateLimit"]["Default"] == scale.TEMPLATE_API_REQUESTS


@pytest.mark.parametrize(
    ("subject", "account"),
    [(user_subject(USER), scale.OWN), (pool_subject(USER), scale.SHARED)],
)
async def test_an_account_grows_by_as_much_as_the_page_says(
    dynoxide: str, subject: str, account: Account
) -> None:
    call = signed_call(dynoxide)
    table = await new_table(call)
    ledger = dynamo_ports(call, table).ledger
    sizes = []
    for _ in range(3):
        hold = Hold(request_id(NOW), Decimal("0.012345678901"), NOW + timedelta(minutes=15), USER)
        assert await ledger.reserve(AccountKey(subject, MONTH), hold, Decimal(100)) is None
        found = await call("Scan", {"TableName": table})
        (item,) = (it for it in found["Items"] if it["pk"]["S"].startswith("ACCOUNT"))
        sizes.append(_bytes_of(item))
    await call.close()
    assert sizes[2] - sizes[1] == pytest.approx(account.hold_bytes, abs=3)
    assert sizes[0] - account.hold_bytes == pytest.approx(scale.ACCOUNT_BYTES, abs=25)


def _bytes_of(item: dict[str, Any]) -> int:
    """An item's size by DynamoDB's rules: names and values, three bytes a map or list."""
    return sum(len(name) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return (len(content.replace(".", "").lstrip("0")) + 1) // 2 + 1
        case "M":
            return 3 + sum(len(it) + 1 + _value_bytes(each) for it, each in content.items())
        case "L":
            return 3 + sum(1 + _value_bytes(each) for each in content)
    return len(content if isinstance(content, str) else json.dumps(content))
