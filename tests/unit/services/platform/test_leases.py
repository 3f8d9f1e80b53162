"""Leases whose process dies, or loses touch with the store, at one write in particular."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from bursar.domain.errors import StoreUnavailable
from bursar.domain.pricing import Price
from bursar.domain.projects import Project, ProjectBudget, SpendPeriod, project_user_id
from bursar.domain.usage import Status, TokenUsage, UsageFilter
from bursar.domain.users import User
from bursar.memory import MemoryDirectory, MemoryLedger, MemoryPlatform, MemoryUsageLog
from bursar.services.platform.lease_end import LeaseEnd
from bursar.services.platform.leases import LeaseRequest
from bursar.services.platform.reports import UsageReport
from bursar.services.policy import Policy
from bursar.services.sweep import Sweep
from tests.fakes.mortal import Fate, Killed, mortal_ledger, mortal_platform, mortal_usage_log
from tests.fakes.office import START, Office

if TYPE_CHECKING:
    from collections.abc import Callable

    from bursar.domain.budgets import AccountKey
    from bursar.domain.holds import Hold, Shortfall
    from bursar.domain.leases import Lease
    from bursar.domain.usage import UsageRecord

PROJECT = Project("p", "p", START, START, encryption_key="pk")
DOLLAR = Decimal(1)
WANTED = LeaseRequest(DOLLAR, 600)


def _nothing() -> None:
    """What happens while a fast store works."""


class SlowLedger(MemoryLedger):
    """A ledger during whose reservations something else happens."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[], None] = _nothing

    async def reserve(
        self, account: AccountKey, hold: Hold, limit_usd: Decimal | None
    ) -> Shortfall | None:
        shortfall = await super().reserve(account, hold, limit_usd)
        self.then()
        return shortfall


class Rig:
    """One project's stores, and processes that use them."""

    def __init__(self) -> None:
        self.now = START
        self.directory = MemoryDirectory()
        self.platform = MemoryPlatform()
        self.ledger: MemoryLedger = MemoryLedger()
        self.usage_log = MemoryUsageLog(self.platform.leases)

    async def begin(self, limit: str | None = "1") -> Rig:
        await self.directory.users.put(User(project_user_id("p"), START, START, START))
        million = Decimal(1_000_000)
        await self.directory.prices.put(Price("openai:m", Decimal(0), million / 100, START, START))
        if limit is not None:
            period = SpendPeriod.DAILY
            row = ProjectBudget("project/daily", "b", "p", period, Decimal(limit), START, START)
            await self.platform.budgets("p").put(row)
        return self

    def process(self, fate: Fate | None = None) -> Office:
        fate = fate or Fate()
        office = Office(
            self.directory,
            mortal_ledger(self.ledger, fate),
            mortal_usage_log(self.usage_log, fate),
            platform=mortal_platform(self.platform, fate),
        )
        office.now = self.now
        return office

    async def grant(self, fate: Fate | None = None) -> Lease:
        return await self.process(fate).platform.leases.grant(PROJECT, WANTED)

    async def report(self, cents: int, lease: Lease | None, fate: Fate | None = None) -> bool:
        report = UsageReport(
            f"event-{cents}",
            "/api/v1/usage-events/",
            "openai",
            "m",
            usage=TokenUsage(0, cents),
            lease_id=lease.lease_id if lease else None,
        )
        return await self.process(fate).platform.reported_usage.enter(PROJECT, report)

    async def sweep(self, fate: Fate | None = None) -> None:
        platform, services = (office := self.process(fate)).platform, office.services
        sweep = Sweep(
            ledger=services.ledger,
            usage_log=services.usage_log,
            reset_log=services.reset_log,
            directory=self.directory,
            policy=Policy(),
            clock=services.clock,
            platform=platform.platform,
            leases=LeaseEnd(platform.platform, services.usage_log, services.clock),
        )
        await sweep.run()

    def spent(self) -> list[Decimal]:
        return [account.committed_usd for account in self.ledger._accounts.values()]

    def holds(self) -> int:
        return sum(len(account.holds) for account in self.ledger._accounts.values())

    async def records(self) -> list[UsageRecord]:
        return list((await self.usage_log.page(UsageFilter(), limit=100)).records)


@pytest.mark.parametrize("write", [1, 2])
async def test_a_lease_that_was_never_granted_costs_nothing(write: int) -> None:
    """Writes are the lease, and its hold in either account."""
    rig = await Rig().begin()
    with pytest.raises(Killed):
        await rig.grant(Fate(write))
    rig.now += timedelta(minutes=15)
    await rig.sweep()

    assert rig.holds() == 0
    assert sum(rig.spent()) == 0
    assert await rig.records() == []


async def test_a_lease_that_was_held_everywhere_may_have_been_granted() -> None:
    rig = await Rig().begin()
    await rig.grant()
    rig.now += timedelta(minutes=15)
    await rig.sweep()

    assert rig.spent() == [DOLLAR, DOLLAR]
    assert [each.status for each in await rig.records()] == [Status.EXPIRED]


@pytest.mark.parametrize("trouble", ["refused", "lost"])
async def test_a_store_that_fails_between_two_accounts_leaves_nothing_held(trouble: str) -> None:
    rig = await Rig().begin()
    with pytest.raises(StoreUnavailable):
        await rig.grant(Fate(2, trouble))

    assert rig.holds() == 0
    assert (await rig.grant()).amount_usd == DOLLAR


async def test_a_hold_that_arrives_when_its_process_has_given_up_costs_nothing() -> None:
    rig = await Rig().begin(limit=None)
    fate = Fate(1, "late")
    with pytest.raises(StoreUnavailable):
        await rig.grant(fate)
    await fate.let_late_writes_arrive()
    assert rig.holds() == 1
    rig.now += timedelta(minutes=15)
    await rig.sweep()

    assert (rig.holds(), rig.spent()) == (0, [Decimal(0)])
    assert await rig.records() == []


async def test_what_a_dead_schedule_had_closed_is_charged_by_the_next_as_it_was_then() -> None:
    """Between the two, a late report takes its share of what was charged without one."""
    rig = await Rig().begin()
    lease = await rig.grant()
    await rig.report(10, lease)
    rig.now += timedelta(minutes=15)
    with pytest.raises(Killed):
        await rig.sweep(Fate(1))
    await rig.report(30, lease)
    await rig.sweep()

    by_status = {each.status: each.cost_usd for each in await rig.records()}
    assert by_status[Status.EXPIRED] == Decimal("0.9")
    assert rig.spent() == [DOLLAR, DOLLAR]
    assert sum(each.cost_usd or 0 for each in await rig.records()) == DOLLAR


async def test_a_report_that_its_process_took_too_long_for_is_not_entered() -> None:
    """Its holds may be gone: the record alone would be kept, and the accounts not charged."""
    rig = Rig()
    rig.ledger = slow = SlowLedger()
    office = (await rig.begin()).process()
    slow.then = lambda: office.wait(seconds=30)
    report = UsageReport("event-5", "/x", "openai", "m", usage=TokenUsage(0, 5))
    with pytest.raises(StoreUnavailable):
        await office.platform.reported_usage.enter(PROJECT, report)
    slow.then = _nothing

    assert await rig.records() == []
    rig.now += timedelta(minutes=15)
    await rig.sweep()
    assert (rig.holds(), sum(rig.spent())) == (0, 0)
    assert await rig.report(5, None)


@pytest.mark.parametrize("write", range(6))
async def test_a_report_is_counted_once_wherever_its_process_dies(write: int) -> None:
    """Writes are a hold in either account, the record, and a settlement in either account."""
    rig = await Rig().begin()
    if write < 5:
        with pytest.raises(Killed):
            await rig.report(7, None, Fate(write))
    await rig.report(7, None)
    rig.now += timedelta(minutes=15)
    await rig.sweep()

    assert rig.spent() == [Decimal("0.07"), Decimal("0.07")]
    assert rig.holds() == 0
    assert [each.status for each in await rig.records()] == [Status.SUCCESS]


@pytest.mark.parametrize("with_lease", [True, False])
async def test_what_costs_nothing_touches_no_account(with_lease: bool) -> None:  # noqa: FBT001
    rig = await Rig().begin()
    lease = await rig.grant() if with_lease else None
    before = rig.spent()
    await rig.report(0, lease)

    assert rig.spent() == before
    (record,) = await rig.records()
    assert record.lease_id == (lease.lease_id if lease else None)
