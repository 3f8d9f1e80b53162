"""Leases: money that is reserved ahead, for clients that call providers themselves."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from bursar.domain.projects import SpendPeriod
from bursar.domain.usage import Status
from bursar.services.platform.lease_end import LeaseEnd
from bursar.services.policy import Policy
from bursar.services.sweep import Sweep
from tests.integration.platform.direct import COST, direct_project

if TYPE_CHECKING:
    import httpx2

    from tests.integration.platform.direct import Direct

LEASES = "/api/v1/leases/"
EVENTS = "/api/v1/usage-events/"
KEY = "/api/v1/provider-keys/openai"


async def _lease(client: httpx2.AsyncClient, amount: str, /, **fields: Any) -> dict[str, Any]:
    answer = await _ask(client, amount, **fields)
    assert answer.status_code == 201, answer.text
    granted: dict[str, Any] = answer.json()
    return granted


async def _ask(client: httpx2.AsyncClient, amount: str, /, **fields: Any) -> httpx2.Response:
    return await client.post(LEASES, json={"amount": amount, "duration_sec": 600} | fields)


async def _spent(direct: Direct) -> list[Decimal]:
    return [balance.committed_usd for balance in await direct.balances(direct.client_id)]


async def _sweep(direct: Direct, *, charges_unknown: bool = True) -> None:
    services, platform = direct.office.services, direct.office.platform
    sweep = Sweep(
        ledger=services.ledger,
        usage_log=services.usage_log,
        reset_log=services.reset_log,
        directory=services.directory,
        policy=Policy(charges_unknown=charges_unknown),
        clock=services.clock,
        platform=platform.platform,
        leases=LeaseEnd(platform.platform, services.usage_log, services.clock),
    )
    await sweep.run()


async def test_a_lease_is_held_in_every_account_at_once(direct: Direct) -> None:
    await direct.budget("100")
    await direct.budget("100", SpendPeriod.MONTHLY, client_id=direct.client_id)
    async with await direct.client() as client:
        granted = await _lease(client, "0.50", client_name="web")
        shown = (await client.get(LEASES + granted["id"])).json()

    assert granted.items() >= shown.items()
    assert granted["amount"] == "0.5000"
    assert (granted["status"], granted["client_id"]) == ("open", direct.client_id)
    assert granted["expires_at"] == "2026-01-10T12:10:00.000000Z"
    assert granted["report_until"] == "2026-01-10T12:15:00.000000Z"
    balances = await direct.balances(direct.client_id)
    assert [(each.committed_usd, len(each.holds)) for each in balances] == [(Decimal("0.5"), 1)] * 3


async def test_of_many_at_once_only_those_that_fit_are_granted(direct: Direct) -> None:
    await direct.budget("1")
    async with await direct.client() as client:
        answers = await asyncio.gather(*[_ask(client, "0.10") for _ in range(50)])

    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(201), statuses.count(403)) == (10, 40)
    assert await _spent(direct) == [Decimal(1), Decimal(1)]
    assert [len(each.holds) for each in await direct.balances()] == [10, 10]


async def test_a_refusal_names_the_budget_what_is_left_and_until_when(direct: Direct) -> None:
    await direct.budget("1")
    async with await direct.client() as client:
        await _lease(client, "0.75")
        answer = await _ask(client, "0.5")

    assert answer.status_code == 403
    detail = answer.json()["detail"]
    for part in ("daily budget", "$1", "$0.25 is left", "2026-01-11T00:00:00Z"):
        assert part in detail
    assert await _spent(direct) == [Decimal("0.75")] * 2


async def test_a_client_may_take_what_is_left_if_that_is_enough(direct: Direct) -> None:
    await direct.budget("1")
    await direct.budget("0.6", client_id=direct.client_id)
    async with await direct.client() as client:
        partial = await _lease(client, "5", minimum="0.5", client_name="web")
        refused = await _ask(client, "5", minimum="0.01", client_name="web")

    assert partial["amount"] == "0.6000"
    assert refused.status_code == 403
    assert await _spent(direct) == [Decimal("0.6")] * 3


async def test_usage_is_counted_on_its_lease_and_the_rest_given_back(direct: Direct) -> None:
    await direct.budget("100")
    async with await direct.client() as client:
        lease = await _lease(client, "60")
        for _ in range(2):
            event = direct.event(lease_id=lease["id"])
            assert (await client.post(EVENTS, json=event)).status_code == 204
            assert (await client.post(EVENTS, json=event)).status_code == 204
        assert await _spent(direct) == [Decimal(60), Decimal(60)]
        closed = (await client.post(f"{LEASES}{lease['id']}/close")).json()
        again = (await client.post(f"{LEASES}{lease['id']}/close")).json()

    assert closed == again
    assert (closed["status"], closed["used"], closed["charged"]) == ("closed", "50.0000", "50.0000")
    assert await _spent(direct) == [2 * COST, 2 * COST]
    records = await direct.records()
    assert [(each.cost_usd, each.lease_id) for each in records] == [(COST, lease["id"])] * 2


async def test_more_than_the_lease_is_recorded_and_charged(direct: Direct) -> None:
    await direct.budget("1")
    async with await direct.client() as client:
        lease = await _lease(client, "1")
        await client.post(EVENTS, json=direct.event(lease_id=lease["id"]))
        await client.post(f"{LEASES}{lease['id']}/close")

    assert await _spent(direct) == [COST, COST]


async def test_what_nobody_reported_in_time_is_charged_with_a_record(direct: Direct) -> None:
    await direct.budget("100")
    async with await direct.client() as client:
        lease = await _lease(client, "60")
        await client.post(EVENTS, json=direct.event(lease_id=lease["id"]))
        direct.office.wait(seconds=899)
        await _sweep(direct)
        assert await _spent(direct) == [Decimal(60), Decimal(60)]
        assert len(await direct.records()) == 1
        direct.office.wait(seconds=1)
        await _sweep(direct)
        shown = (await client.get(LEASES + lease["id"])).json()

    assert await _spent(direct) == [Decimal(60), Decimal(60)]
    assert not any(balance.holds for balance in await direct.balances())
    assert (shown["status"], shown["charged"]) == ("closed", "60.0000")
    by_status = {each.status: each for each in await direct.records()}
    expired = by_status[Status.EXPIRED]
    assert (expired.request_id, expired.cost_usd) == (lease["id"], Decimal(35))
    assert (expired.endpoint, expired.lease_id) == (LEASES, lease["id"])


async def test_a_late_report_is_covered_by_what_was_charged_for_it(direct: Direct) -> None:
    await direct.budget("100")
    async with await direct.client() as client:
        lease = await _lease(client, "40")
        direct.office.wait(hours=1)
        await _sweep(direct)
        for _ in range(2):
            await client.post(EVENTS, json=direct.event(lease_id=lease["id"]))

    # 40 were charged; of the 50 that were used, 10 are left to charge.
    assert await _spent(direct) == [Decimal(50), Decimal(50)]
    late = [each for each in await direct.records() if each.status is Status.SUCCESS]
    shares = sorted((each.covered_usd or 0, each.cost_usd or 0) for each in late)
    assert shares == [(15, 10), (25, 0)]


async def test_a_deployment_may_waive_what_nobody_reported(direct: Direct) -> None:
    await direct.budget("100")
    async with await direct.client() as client:
        lease = await _lease(client, "60")
        await client.post(EVENTS, json=direct.event(lease_id=lease["id"]))
    direct.office.wait(hours=1)
    await _sweep(direct, charges_unknown=False)

    assert await _spent(direct) == [COST, COST]
    assert [each.status for each in await direct.records()] == [Status.SUCCESS]


async def test_after_its_time_a_lease_is_not_closed_for_nothing(direct: Direct) -> None:
    await direct.budget("100")
    async with await direct.client() as client:
        lease = await _lease(client, "60")
        direct.office.wait(seconds=900)
        closed = (await client.post(f"{LEASES}{lease['id']}/close")).json()

    assert closed["charged"] == "60.0000"
    assert await _spent(direct) == [Decimal(60), Decimal(60)]
    assert [each.cost_usd for each in await direct.records()] == [Decimal(60)]


async def test_a_budget_that_a_lease_holds_does_not_keep_its_client_from_the_key(
    direct: Direct,
) -> None:
    await direct.budget("1")
    async with await direct.client() as client:
        lease = await _lease(client, "1")
        under = {"Bursar-Lease": lease["id"]}
        assert (await client.get(KEY)).status_code == 403
        assert (await client.get(KEY, headers={"Bursar-Lease": "x"})).status_code == 403
        assert (await client.get(KEY, headers=under)).status_code == 200
        direct.office.wait(seconds=600)
        assert (await client.get(KEY, headers=under)).status_code == 403


async def test_a_lease_is_its_projects_only(direct: Direct) -> None:
    other = await direct_project(direct.office, direct.app)
    async with await direct.client() as client, await other.client() as stranger:
        lease = await _lease(client, "60")
        path = LEASES + lease["id"]
        assert (await stranger.get(path)).status_code == 404
        assert (await stranger.post(f"{path}/close")).status_code == 404
        await stranger.post(EVENTS, json=other.event(lease_id=lease["id"]))
        shown = (await client.get(path)).json()

    assert (shown["status"], shown["used"]) == ("open", "0.0000")
    (record,) = await other.records()
    assert (record.cost_usd, record.lease_id) == (COST, None)
    assert await _spent(other) == [COST]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"amount": "0"}, 400),
        ({"duration_sec": 0}, 400),
        ({"duration_sec": 86_401}, 400),
        ({"amount": -1}, 422),
        ({"amount": "much"}, 422),
        ({"minimum": "-1"}, 422),
    ],
)
async def test_a_lease_of_nothing_or_forever_is_refused(
    direct: Direct, fields: dict[str, Any], status: int
) -> None:
    async with await direct.client() as client:
        answer = await _ask(client, "1", **fields)

    assert answer.status_code == status
    assert await _spent(direct) == []


async def test_anybody_can_check_what_a_lease_says(
    direct: Direct, anybody: httpx2.AsyncClient
) -> None:
    async with await direct.client() as client:
        lease = await _lease(client, "0.50", client_name="web")
    (key,) = (await anybody.get("/api/v1/leases/keys")).json()["keys"]
    header, claims, signature = lease["statement"].split(".")
    verifier = VerifyKey(_decoded(key["x"]))

    verifier.verify(f"{header}.{claims}".encode(), _decoded(signature))
    with pytest.raises(BadSignatureError):
        verifier.verify(f"{header}.{claims}x".encode(), _decoded(signature))
    assert json.loads(_decoded(header)) == {"alg": "EdDSA", "typ": "JWT", "kid": key["kid"]}
    assert json.loads(_decoded(claims)) == {
        "iss": "bursar",
        "sub": direct.project_id,
        "jti": lease["id"],
        "client": direct.client_id,
        "amount_usd": "0.5",
        "iat": 1_768_046_400,
        "exp": 1_768_047_000,
    }


async def test_a_lease_cannot_be_had_without_a_token(anybody: httpx2.AsyncClient) -> None:
    assert (await _ask(anybody, "1")).status_code == 401
    assert (await anybody.get(f"{LEASES}x")).status_code == 401
    assert (await anybody.post(f"{LEASES}x/close")).status_code == 401


async def test_reports_of_many_calls_at_once_all_count_on_their_lease(direct: Direct) -> None:
    await direct.budget("1000")
    async with await direct.client() as client:
        lease = await _lease(client, "500")
        events = [direct.event(lease_id=lease["id"]) for _ in range(8)]
        answers = await asyncio.gather(*[client.post(EVENTS, json=event) for event in events])
        closed = (await client.post(f"{LEASES}{lease['id']}/close")).json()

    assert {answer.status_code for answer in answers} == {204}
    assert closed["used"] == "200.0000"
    assert await _spent(direct) == [8 * COST, 8 * COST]


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))
