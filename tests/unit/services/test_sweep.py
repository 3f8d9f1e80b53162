"""The schedule: holds that nobody closes, and periods that end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bursar.domain.budgets import AccountKey, Scope, user_subject
from bursar.domain.holds import Hold
from bursar.domain.ids import request_id
from bursar.domain.periods import Period
from bursar.domain.usage import Status, UsageRecord
from tests.fakes.scripted_upstream import completion
from tests.fakes.world import World


async def _abandoned_hold(world: World, amount: str = "0.25") -> tuple[AccountKey, Hold]:
    await world.budget("1", duration_s=86_400)
    user = await world.user(budget_id="b1", budget_started_at=world.now)
    budget = await world.storage.directory.budgets.get("b1")
    assert budget is not None
    account = AccountKey(user_subject(user.user_id), budget.period_at(world.now, world.now))
    deadline = world.now + timedelta(seconds=900)
    hold = Hold(request_id(world.now), Decimal(amount), deadline, user.user_id)
    assert await world.ledger.reserve(account, hold, Decimal(1)) is None
    return account, hold


async def test_a_hold_is_left_alone_until_its_deadline() -> None:
    world = World()
    await _abandoned_hold(world)
    world.pass_time(seconds=899)
    report = await world.sweep.run()
    assert (report.accounts_seen, report.holds_expired) == (1, 0)
    assert len((await world.balance()).holds) == 1


async def test_an_overdue_hold_is_charged_in_full_and_the_record_says_so() -> None:
    world = World()
    _, hold = await _abandoned_hold(world)
    world.pass_time(seconds=900)
    assert (await world.sweep.run()).holds_expired == 1
    record = await world.record()
    assert (record.request_id, record.status) == (hold.hold_id, Status.EXPIRED)
    assert record.cost_usd == Decimal("0.25") == (await world.balance()).committed_usd
    assert record.is_estimated
    assert (await world.balance()).holds == {}


@pytest.mark.parametrize("other_usd", ["0.1", "0.25", "0.9"])
async def test_of_a_request_that_died_between_two_accounts_each_is_charged_its_own_hold(
    other_usd: str,
) -> None:
    world = World()
    _, hold = await _abandoned_hold(world)
    other = AccountKey(user_subject("another"), Period(world.now))
    differing = replace(hold, amount_usd=Decimal(other_usd))
    assert await world.ledger.reserve(other, differing, Decimal(1)) is None
    world.pass_time(seconds=900)

    await world.sweep.run()

    charged = [balance.spent_usd for balance in await world.all_balances()]
    assert charged[0] == Decimal("0.25")
    assert charged[1] == min(Decimal(other_usd), Decimal("0.25"))
    assert all(balance.holds == {} for balance in await world.all_balances())


async def test_a_hold_whose_record_was_written_settles_at_the_records_cost() -> None:
    world = World()
    _, hold = await _abandoned_hold(world)
    written = UsageRecord(
        hold.hold_id, "alice", world.now, "/v1/x", Status.SUCCESS, cost_usd=Decimal("0.01")
    )
    await world.usage_log.record(written)
    world.pass_time(seconds=900)
    assert (await world.sweep.run()).holds_repaired == 1
    assert (await world.balance()).committed_usd == Decimal("0.01")
    assert await world.record() == written


async def test_sweeping_twice_changes_nothing_more() -> None:
    world = World()
    await _abandoned_hold(world)
    world.pass_time(days=2)
    await world.sweep.run()
    again = await world.sweep.run()
    assert (again.holds_expired, again.periods_closed) == (0, 0)
    assert len(await world.records()) == 1


async def test_a_period_that_is_over_is_closed_and_logged_once() -> None:
    world = World()
    account, _ = await _abandoned_hold(world)
    world.pass_time(days=1, seconds=61)
    await world.sweep.run()
    report = await world.sweep.run()
    assert [key async for key in world.ledger.open_accounts()] == []
    (reset,), _ = await world.storage.reset_log.page("b1", limit=10)
    assert reset.previous_spend_usd == Decimal("0.25")
    assert reset.reset_at == account.period.end
    assert reset.next_reset_at == reset.reset_at + timedelta(days=1)
    assert report.accounts_seen == 0


async def test_a_new_period_begins_with_nothing_spent() -> None:
    world = World()
    await world.price()
    await world.budget("0.0005", duration_s=3_600)
    await world.user(budget_id="b1", budget_started_at=world.now)
    key = await world.key()
    world.upstream.answer = completion(prompt_tokens=300, completion_tokens=100)
    await world.chat(key)
    world.pass_time(seconds=3_600)
    await world.chat(key)
    assert (await world.balance()).committed_usd == Decimal("0.0005")
    assert len(await world.records()) == 2


async def test_a_pools_period_is_logged_for_the_pool() -> None:
    world = World()
    await world.price()
    await world.budget("5", "pool", scope=Scope.POOL, duration_s=60)
    await world.user(budget_id="pool")
    world.upstream.answer = completion()
    await world.chat(await world.key())
    world.pass_time(seconds=121)
    await world.sweep.run()
    (reset,), _ = await world.storage.reset_log.page("pool", limit=10)
    assert reset.subject == "pool/pool"


async def test_a_sweep_that_runs_out_of_time_says_so() -> None:
    world = World()
    await _abandoned_hold(world)
    report = await world.sweep.run(stop_at=world.now)
    assert not report.is_complete


@pytest.mark.parametrize("following", [{"duration_s": 86_400}, {"scope": Scope.POOL}, {}])
async def test_a_period_that_its_holder_left_for_another_budget_is_no_reset_of_either(
    following: dict[str, object],
) -> None:
    world = World()
    left, hold = await _abandoned_hold(world)
    await world.ledger.settle(left, hold, Decimal("0.2"))
    world.pass_time(hours=6)
    await world.budget("1", "b2", **following)
    await world.user(budget_id="b2", budget_started_at=world.now)
    world.pass_time(hours=19)

    assert (await world.sweep.run()).periods_closed == 1

    for budget_id in ("b1", "b2"):
        assert await world.storage.reset_log.page(budget_id, limit=10) == ([], None)


@pytest.mark.parametrize("kind", ["project", "client"])
async def test_a_projects_period_is_no_reset_of_a_user_who_is_called_alike(kind: str) -> None:
    world = World()
    account, hold = await _abandoned_hold(world)
    await world.ledger.settle(account, hold, Decimal("0.2"))
    alike = AccountKey(f"{kind}/alice", account.period)
    assert await world.ledger.open(alike, Decimal("0.3"))
    world.pass_time(days=1, seconds=61)

    assert (await world.sweep.run()).periods_closed == 2

    resets, _ = await world.storage.reset_log.page("b1", limit=10)
    assert [reset.subject for reset in resets] == ["user/alice"]
