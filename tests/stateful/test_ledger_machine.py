"""The ledger against an exact model of it, over whatever sequence of verbs hypothesis finds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bursar.domain.budgets import AccountKey, pool_subject, user_subject
from bursar.domain.holds import Balance, Hold, Shortfall
from bursar.domain.ids import request_id
from bursar.domain.periods import Period
from bursar.memory import MemoryLedger
from bursar.store.ledger import DynamoLedger
from tests.contracts.stores import new_table, signed_call

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bursar.ports import Ledger

T = TypeVar("T")

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
ZERO = Decimal(0)
LIMIT = Decimal(10)
LIMITS = {
    AccountKey(user_subject("alice"), Period(NOW, NOW + timedelta(days=1))): LIMIT,
    AccountKey(user_subject("alice"), Period(NOW + timedelta(days=1))): None,
    AccountKey(pool_subject("team"), Period(NOW)): Decimal("0.000000000003"),
}

accounts = st.sampled_from(list(LIMITS))
amounts = st.one_of(
    st.sampled_from([ZERO, Decimal("0.000000000001"), Decimal("9.999999999999"), LIMIT]),
    st.decimals(0, 12, places=12),
    st.decimals(0, 2, places=1),
)


@dataclass
class Model:
    """What one account must say.

    Attributes:
        spent: what was settled or carried in.
        overage: by how much settled costs exceeded their holds, and a carried sum the limit.
    """

    exists: bool = False
    is_closed: bool = False
    spent: Decimal = ZERO
    holds: dict[str, Hold] = field(default_factory=dict)
    overage: Decimal = ZERO

    @property
    def committed(self) -> Decimal:
        return self.spent + sum((hold.amount_usd for hold in self.holds.values()), ZERO)

    def balance(self) -> Balance | None:
        return Balance(self.committed, self.holds) if self.exists else None


Held = tuple[AccountKey, Hold]


class LedgerMachine(RuleBasedStateMachine):
    """Each rule is a verb: what it answers and what it leaves behind are compared.

    The ledger is the one in memory, unless a subclass makes another.
    """

    held: Bundle[Held] = Bundle("held")
    gone: Bundle[Held] = Bundle("gone")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.models = {account: Model() for account in LIMITS}
        self.ledger: Ledger

    async def make_ledger(self) -> Ledger:
        return MemoryLedger()

    async def close_ledger(self) -> None:
        pass

    @initialize()
    def begin(self) -> None:
        self.ledger = self.run(self.make_ledger())

    def run(self, verb: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(verb)

    def teardown(self) -> None:
        self.run(self.close_ledger())
        self.runner.close()

    @rule(target=held, account=accounts, amount=amounts, user=st.sampled_from(["alice", "bob"]))
    def reserve(self, account: AccountKey, amount: Decimal, user: str) -> Any:
        hold = Hold(request_id(NOW), amount, NOW + timedelta(minutes=15), user)
        model, limit = self.models[account], LIMITS[account]

        answer = self.run(self.ledger.reserve(account, hold, limit))

        if model.is_closed:
            assert answer == Shortfall(ZERO)
        elif limit is None or model.committed + amount <= limit:
            assert answer is None
            model.exists = True
            model.holds[hold.hold_id] = hold
            return account, hold
        else:
            assert answer == Shortfall(max(ZERO, limit - model.committed))
        return multiple()

    @rule(which=held)
    def reserve_again(self, which: Held) -> None:
        account, hold = which
        assert self.run(self.ledger.reserve(account, hold, LIMITS[account])) is None

    @rule(target=held, which=consumes(held), amount=amounts)
    def adjust(self, which: Held, amount: Decimal) -> Held:
        account, hold = which
        model, limit = self.models[account], LIMITS[account]
        added = amount - hold.amount_usd

        answer = self.run(self.ledger.adjust(account, hold, amount, limit))

        if limit is None or added <= 0 or model.committed + added <= limit:
            assert answer is None
            model.holds[hold.hold_id] = hold = replace(hold, amount_usd=amount)
        else:
            assert answer == Shortfall(max(ZERO, limit - model.committed) + hold.amount_usd)
        return account, hold

    @rule(which=held, amount=amounts)
    def adjust_again(self, which: Held, amount: Decimal) -> None:
        """As a client does that lost the answer, whatever the hold had been before."""
        account, hold = which
        earlier = replace(hold, amount_usd=amount)
        assert self.run(self.ledger.adjust(account, earlier, hold.amount_usd, ZERO)) is None

    @rule(which=gone, amount=amounts)
    def adjust_what_is_gone(self, which: Held, amount: Decimal) -> None:
        account, hold = which
        assert self.run(self.ledger.adjust(account, hold, amount, None)) == Shortfall(ZERO)

    @rule(target=gone, which=consumes(held), cost=amounts)
    def settle(self, which: Held, cost: Decimal) -> Held:
        account, hold = which

        assert self.run(self.ledger.settle(account, hold, cost))

        self.settled(account, hold, cost)
        return which

    @rule(target=gone, which=consumes(held))
    def release(self, which: Held) -> Held:
        account, hold = which

        assert self.run(self.ledger.release(account, hold))

        self.settled(account, hold, ZERO)
        return which

    @rule(target=gone, which=consumes(held))
    def expire(self, which: Held) -> Held:
        """As the sweeper does: charge in full the hold that the account tells of."""
        account, hold = which
        found = self.run(self.ledger.balances([account]))[account].holds[hold.hold_id]

        assert self.run(self.ledger.settle(account, found, found.amount_usd))

        self.settled(account, hold, hold.amount_usd)
        return which

    @rule(which=gone, cost=amounts)
    def settle_again(self, which: Held, cost: Decimal) -> None:
        account, hold = which
        assert not self.run(self.ledger.settle(account, hold, cost))

    @rule(which=held, cost=amounts)
    def settle_another_amount(self, which: Held, cost: Decimal) -> None:
        account, hold = which
        other = replace(hold, amount_usd=hold.amount_usd + Decimal("0.000000000001"))
        assert not self.run(self.ledger.settle(account, other, cost))

    @rule(account=accounts, spent=amounts)
    def open(self, account: AccountKey, spent: Decimal) -> None:
        model, limit = self.models[account], LIMITS[account]

        assert self.run(self.ledger.open(account, spent)) is not model.exists

        if not model.exists:
            model.exists, model.spent = True, spent
            model.overage = ZERO if limit is None else max(ZERO, spent - limit)

    @rule(account=accounts)
    def close(self, account: AccountKey) -> None:
        model = self.models[account]
        closes = model.exists and not model.is_closed and not model.holds

        assert self.run(self.ledger.close(account)) is closes

        model.is_closed = model.is_closed or closes

    @invariant()
    def every_account_says_what_the_model_does(self) -> None:
        """And what is committed is spent or held, within the limit but for settled overage."""
        found = self.run(self.ledger.balances(list(LIMITS)))
        for account, model in self.models.items():
            balance, limit = found.get(account), LIMITS[account]
            assert balance == model.balance()
            if balance is not None:
                assert balance.spent_usd == model.spent
                assert balance.committed_usd == model.spent + balance.held_usd
                assert limit is None or balance.committed_usd <= limit + model.overage

    @invariant()
    def open_accounts_are_those_that_exist_and_are_not_closed(self) -> None:
        async def listed() -> set[AccountKey]:
            return {account async for account in self.ledger.open_accounts()}

        assert self.run(listed()) == {
            account
            for account, model in self.models.items()
            if model.exists and not model.is_closed
        }

    def settled(self, account: AccountKey, hold: Hold, cost: Decimal) -> None:
        model = self.models[account]
        del model.holds[hold.hold_id]
        model.spent += cost
        model.overage += max(ZERO, cost - hold.amount_usd)


def test_the_ledger_in_memory_follows_the_model() -> None:
    run_state_machine_as_test(
        LedgerMachine, settings=settings(max_examples=120, stateful_step_count=40, deadline=None)
    )


def test_the_ledger_on_dynamodb_follows_the_model(dynoxide: str) -> None:
    class OnDynamoDB(LedgerMachine):
        def __init__(self) -> None:
            super().__init__()
            self.call = signed_call(dynoxide)

        async def make_ledger(self) -> Ledger:
            return DynamoLedger(self.call, await new_table(self.call))

        async def close_ledger(self) -> None:
            await self.call.close()

    run_state_machine_as_test(
        OnDynamoDB,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
