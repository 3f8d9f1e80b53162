"""However processes die, race, repeat and come late, a project's accounts and its books agree.

The model is exact: what a project is charged is what its clients' calls cost, each once, and what
leases were charged that nobody has reported.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bursar.domain.errors import BudgetExceeded, StoreUnavailable
from bursar.domain.pricing import Price
from bursar.domain.projects import (
    Client,
    Project,
    ProjectBudget,
    SpendPeriod,
    budget_slot,
    project_user_id,
)
from bursar.domain.usage import Status, TokenUsage, UsageFilter, UsageRecord
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
    from collections.abc import Coroutine

    from bursar.domain.leases import Lease
    from bursar.memory.ledger import _Account

ZERO = Decimal(0)
CENT = Decimal("0.01")
LIMITS = {"project/p": Decimal("2.00"), "client/web": Decimal("1.20")}
PROJECT = Project("p", "p", START, START, encryption_key="pk", default_client_id="jobs")

_fates = st.builds(
    Fate,
    st.sampled_from([None, None, 0, 1, 2, 3, 4, 5, 7]),
    st.sampled_from(["killed", "refused", "lost", "late"]),
    st.integers(0, 1_000),
)
_cents = st.integers(1, 60)
_clients = st.sampled_from(["web", "jobs"])
_picks = st.integers(0, 50)


@dataclass
class Event:
    """A call that a client made and reports; `number` tells its record from all others.

    Attributes:
        is_told: somebody was told that it is entered.
    """

    number: int
    report: UsageReport
    cost_usd: Decimal
    is_told: bool = False


class LeaseMachine(RuleBasedStateMachine):
    """One project with two clients, and everything that can happen to their leases."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = START
        self.directory = MemoryDirectory()
        self.platform = MemoryPlatform()
        self.ledger = MemoryLedger()
        self.usage_log = MemoryUsageLog(self.platform.leases)
        self.events: list[Event] = []
        self.granted: list[Lease] = []
        self.is_calm = True
        self._run(self._begin())

    def teardown(self) -> None:
        self._end_everything()
        self.loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    async def _begin(self) -> None:
        user = User(project_user_id("p"), START, START, START)
        await self.directory.users.put(user)
        # Input is free, so that a number of tokens can name a call.
        price = Price("openai:m", ZERO, 1_000_000 * CENT, START, START)
        await self.directory.prices.put(price)
        for name in ("web", "jobs"):
            await self.platform.clients("p").put(Client(name, "p", name, START, START))
        for client_id, period in ((None, SpendPeriod.WEEKLY), ("web", SpendPeriod.DAILY)):
            limit = LIMITS["project/p" if client_id is None else "client/web"]
            slot = budget_slot(client_id, period)
            budget = ProjectBudget(slot, slot, "p", period, limit, START, START, client_id)
            await self.platform.budgets("p").put(budget)

    def _office(self, fate: Fate) -> Office:
        """A process with the services, and a fate of its own."""
        office = Office(
            self.directory,
            mortal_ledger(self.ledger, fate),
            mortal_usage_log(self.usage_log, fate),
            platform=mortal_platform(self.platform, fate),
        )
        office.now = self.now
        return office

    async def _do(self, fate: Fate, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return await work
        except (Killed, StoreUnavailable):
            self.is_calm = False
            return None
        finally:
            await fate.let_late_writes_arrive()

    # What processes do.

    async def _grant(self, fate: Fate, wanted: LeaseRequest) -> None:
        lease = await self._do(fate, self._office(fate).platform.leases.grant(PROJECT, wanted))
        if lease is not None:
            self.granted.append(lease)

    async def _report(self, fate: Fate, event: Event) -> None:
        entered = await self._do(
            fate, self._office(fate).platform.reported_usage.enter(PROJECT, event.report)
        )
        if entered is not None:
            event.is_told = True

    async def _close(self, fate: Fate, lease: Lease) -> None:
        await self._do(fate, self._office(fate).platform.leases.close(PROJECT, lease.lease_id))

    async def _sweep(self, fate: Fate) -> None:
        office = self._office(fate)
        platform, services = office.platform, office.services
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
        await self._do(fate, sweep.run())

    # What happens.

    def _new_event(self, cents: int, client: str, lease: Lease | None) -> Event:
        number = len(self.events) + 1
        report = UsageReport(
            event_id=f"event-{number}",
            endpoint="/api/v1/usage-events/",
            provider="openai",
            model="m",
            usage=TokenUsage(number, cents),
            client_name=client,
            lease_id=lease.lease_id if lease else None,
        )
        self.events.append(Event(number, report, cents * CENT))
        return self.events[-1]

    def _picked(self, pick: int) -> Lease:
        """One of the leases, mostly the newest."""
        return self.granted[-1 - min(pick // 10, len(self.granted) - 1)]

    @rule(
        cents=_cents,
        least=st.none() | _cents,
        minutes=st.sampled_from([1, 10, 60, 1_440]),
        client=_clients,
        fate=_fates,
    )
    def grant(self, cents: int, least: int | None, minutes: int, client: str, fate: Fate) -> None:
        amount = cents * CENT
        minimum = None if least is None else min(least, cents) * CENT
        before = {subject: self._left(subject) for subject in self._limited(client)}
        try:
            self._run(self._grant(fate, LeaseRequest(amount, minutes * 60, client, minimum)))
        except BudgetExceeded:
            assert min(before.values()) < (minimum or amount)
            return
        for subject in self._limited(client):
            assert self._left(subject) >= min(ZERO, before[subject])

    @precondition(lambda self: self.granted)
    @rule(cents=_cents, client=_clients, pick=_picks, fate=_fates)
    def report_under_a_lease(self, cents: int, client: str, pick: int, fate: Fate) -> None:
        event = self._new_event(cents, client, self._picked(pick))
        self._run(self._report(fate, event))

    @rule(cents=_cents, client=_clients, fate=_fates)
    def report_without_a_lease(self, cents: int, client: str, fate: Fate) -> None:
        self._run(self._report(fate, self._new_event(cents, client, None)))

    @precondition(lambda self: self.events)
    @rule(pick=_picks, fate=_fates)
    def report_again(self, pick: int, fate: Fate) -> None:
        self._run(self._report(fate, self.events[-1 - pick % len(self.events)]))

    @precondition(lambda self: self.granted)
    @rule(pick=_picks, fate=_fates, is_late=st.booleans())
    def close(self, pick: int, fate: Fate, *, is_late: bool) -> None:
        if is_late:
            self.now = max(self.now, self._picked(pick).deadline)
        self._run(self._close(fate, self._picked(pick)))

    @rule(fate=_fates)
    def sweep(self, fate: Fate) -> None:
        self._run(self._sweep(fate))

    @precondition(lambda self: self.granted)
    @rule(pick=_picks, fate=_fates)
    def outlive(self, pick: int, fate: Fate) -> None:
        """A lease's time is over and the schedule comes by: what is reported now is late."""
        self.now = max(self.now, self._picked(pick).deadline)
        self._run(self._sweep(fate))

    @rule(minutes=st.sampled_from([1, 3, 6, 16, 1_440]))
    def pass_time(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: self.granted)
    @rule(
        calls=st.lists(st.tuples(_cents, _clients), min_size=1, max_size=4),
        pick=_picks,
        again=_picks,
        fates=st.lists(_fates, min_size=8, max_size=8),
    )
    def race(self, calls: list[tuple[int, str]], pick: int, again: int, fates: list[Fate]) -> None:
        """Reports under one lease, one of them twice, while it is closed and swept."""
        lease = self._picked(pick)
        events = [self._new_event(*call, lease) for call in calls]
        events.append(self.events[again % len(self.events)])
        works = [self._report(fate, event) for fate, event in zip(fates, events, strict=False)]
        works += [self._close(fates[5], lease), self._sweep(fates[6]), self._sweep(fates[7])]

        async def together() -> None:
            await asyncio.gather(*works)

        self._run(together())

    def _end_everything(self) -> None:
        """Time passes and the schedule comes by: every lease has ended, every crash is repaired."""
        self.now += timedelta(days=3)
        self._run(self._sweep(Fate()))
        assert not any(account.holds for account in self._accounts("").values())
        self._check_leases()
        self._check_total("user/", [None])
        self._check_total("project/p", [None])
        self._check_total("client/web", ["web"])
        self._check_nothing_is_overspent()

    # What must be so.

    @invariant()
    def every_call_has_one_record_at_most_and_at_its_cost(self) -> None:
        records = [record for record in self._records() if record.usage is not None]
        by_number = {record.usage.input_tokens: record for record in records if record.usage}
        assert len(by_number) == len(records)
        for event in self.events:
            record = by_number.get(event.number)
            assert record is not None or not event.is_told
            if record is not None:
                whole = (record.cost_usd or ZERO) + (record.covered_usd or ZERO)
                assert whole == event.cost_usd

    @invariant()
    def unless_something_broke_accounts_and_books_agree_at_any_time(self) -> None:
        if self.is_calm:
            open_leases = {each.lease_id for each in self._leases() if each.closed_at is None}
            booked = sum(
                (
                    record.cost_usd or ZERO
                    for record in self._records()
                    if record.lease_id not in open_leases
                ),
                ZERO,
            )
            assert self._committed("user/") - self._held("user/") == booked

    def _check_leases(self) -> None:
        known = {lease.lease_id for lease in self.granted}
        for lease in self._leases():
            used = sum((event.cost_usd for event in self._entered(lease.lease_id)), ZERO)
            if lease.lease_id not in known:
                # Either its holds were undone, or its process died in between: nobody has it.
                assert not lease.charged_usd
                continue
            assert lease.closed_at is not None
            assert lease.used_usd == used
            at_close = lease.used_at_close_usd or ZERO
            in_time = lease.closed_at < lease.deadline
            charged = at_close if in_time else max(at_close, lease.amount_usd)
            assert lease.charged_usd == charged
            assert lease.unreported_usd == max(ZERO, charged - used)

    def _check_total(self, subject: str, clients: list[str | None]) -> None:
        """Accounts, books and model, over all periods."""
        paid = sum(
            (event.cost_usd for event in self._entered() if self._client_of(event) in clients)
            if clients != [None]
            else (event.cost_usd for event in self._entered()),
            ZERO,
        )
        unreported = sum(
            (
                lease.unreported_usd
                for lease in self._leases()
                if clients == [None] or lease.client_id in clients
            ),
            ZERO,
        )
        booked = sum(
            (
                record.cost_usd or ZERO
                for record in self._records()
                if clients == [None] or record.client_id in clients
            ),
            ZERO,
        )
        assert self._committed(subject) == paid + unreported == booked

    def _check_nothing_is_overspent(self) -> None:
        """Beyond a limit is only what nobody could refuse: it had been spent when it was told."""
        beyond = sum(
            (record.cost_usd or ZERO for record in self._records() if self._is_beyond(record)),
            ZERO,
        )
        over = [max(ZERO, (each.charged_usd or ZERO) - each.amount_usd) for each in self._leases()]
        for subject, limit in LIMITS.items():
            for account in self._accounts(subject).values():
                assert account.committed_usd <= limit + beyond + sum(over, ZERO)

    def _is_beyond(self, record: UsageRecord) -> bool:
        is_report = record.status is not Status.EXPIRED
        return is_report and (record.lease_id is None or record.covered_usd is not None)

    # What there is.

    def _records(self) -> list[UsageRecord]:
        found = self._run(self.usage_log.page(UsageFilter(), limit=10_000))
        return list(found.records)

    def _leases(self) -> list[Lease]:
        return list(self.platform.leases._leases.values())

    def _entered(self, lease_id: str | None = None) -> list[Event]:
        numbers = {record.usage.input_tokens for record in self._records() if record.usage}
        return [
            event
            for event in self.events
            if event.number in numbers and lease_id in {None, event.report.lease_id}
        ]

    def _client_of(self, event: Event) -> str | None:
        """A lease's spending is its client's, whoever reports it."""
        lease = next((a for a in self.granted if a.lease_id == event.report.lease_id), None)
        return lease.client_id if lease else event.report.client_name

    def _accounts(self, prefix: str) -> dict[Any, _Account]:
        kept = self.ledger._accounts.items()
        return {key: account for key, account in kept if key.subject.startswith(prefix)}

    def _committed(self, prefix: str) -> Decimal:
        return sum((each.committed_usd for each in self._accounts(prefix).values()), ZERO)

    def _held(self, prefix: str) -> Decimal:
        holds = [each.holds.values() for each in self._accounts(prefix).values()]
        return sum((hold.amount_usd for some in holds for hold in some), ZERO)

    def _limited(self, client: str) -> list[str]:
        return ["project/p"] if client == "jobs" else ["project/p", "client/web"]

    def _left(self, subject: str) -> Decimal:
        period = SpendPeriod.WEEKLY if subject == "project/p" else SpendPeriod.DAILY
        current = period.period_at(self.now)
        accounts = self._accounts(subject).items()
        committed = [each.committed_usd for key, each in accounts if key.period == current]
        return LIMITS[subject] - sum(committed, ZERO)


LeaseMachine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestLeases = LeaseMachine.TestCase
