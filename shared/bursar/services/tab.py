"""A tab: the money of one request, from its reservation until the books are closed.

The usage record is written before the accounts settle. Whatever dies between the two leaves a
record that the sweeper settles by; whatever dies before leaves a hold that it charges.

A request that goes to another target takes its hold along: it is adjusted, account by account, to
what that target may cost. Accounts may differ meanwhile, and for as long as the tab is open if one
of them refuses; each is settled by what it holds itself.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from bursar.dialects.request import InferenceRequest
from bursar.domain.budgets import AccountKey, Limit
from bursar.domain.errors import BudgetExceeded, StoreUnavailable
from bursar.domain.events import Closed, Observe, unobserved
from bursar.domain.holds import Hold
from bursar.domain.money import QUANTUM_USD, ZERO, canonical, display
from bursar.domain.price_tiers import charged_tier
from bursar.domain.pricing import Charge, charge_of, charge_of_unreported, told_apart
from bursar.domain.unreported import TellsItsUsage, counted, most
from bursar.domain.usage import Status, TokenUsage, UsageRecord
from bursar.services.charged_rates import charged_rates
from bursar.services.identity import Caller
from bursar.services.quoting import Quote
from bursar.services.rates import RateTicket
from bursar.services.trail import Trail
from bursar.services.uncancelled import uncancelled

if TYPE_CHECKING:
    from bursar.domain.holds import Shortfall
    from bursar.domain.pricing import Price
    from bursar.ports import Clock, Ledger, UsageLog
    from bursar.services.policy import Policy

_LOG = logging.getLogger(__name__)
_LOWERINGS_MAX = 6


class Billing(StrEnum):
    """What is known of the provider's bill."""

    NOTHING = "nothing"
    METERED = "metered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended.

    Attributes:
        usage: what the provider counted, None where it did not say.
        output_bytes: what was generated as far as it was seen, the bound of unreported output.
        error_message: for the books; may quote the provider, so it is never sent to a caller.
        failure: how the provider failed, as metrics count it.
        reported_cost_usd: what the provider says that it charges.
        service_tier: the tier that the provider says it served the request in.
    """

    status: Status
    billing: Billing
    usage: TokenUsage | None = None
    output_bytes: int = 0
    error_message: str | None = None
    first_token_ms: int | None = None
    upstream_request_id: str | None = None
    failure: str | None = None
    reported_cost_usd: Decimal | None = None
    service_tier: str | None = None


class BudgetRunsLow(Exception):
    """Less of a budget is left than the request's first target is meant for."""


@dataclass(slots=True)
class Tab:
    """One request's open reservation.

    Attributes:
        request: named after the target that it is for now; so are quote and hold.
        trail: where it has been.
        provider_key_id: the key's of the project's vault that it is served with.
        cost_usd: what the books say it cost, once they are written.
        is_closed: it was closed, or its closing has begun: nobody else may.
    """

    request_id: str
    opened_at: datetime
    caller: Caller
    request: InferenceRequest
    quote: Quote
    hold: Hold
    limits: Sequence[Limit]
    ticket: RateTicket | None = None
    provider_key_id: str | None = None
    trail: Trail = field(default_factory=Trail)
    cost_usd: Decimal | None = field(default=None, init=False)
    is_closed: bool = field(default=False, init=False)
    _holds: dict[AccountKey, list[Hold]] = field(default_factory=dict, init=False, repr=False)

    def holds_in(self, account: AccountKey) -> list[Hold]:
        """The hold as it stands in an account, preceded by all that it might be as well.

        Others than the last are there if a write's answer was lost, or if it arrives late.
        """
        return self._holds.setdefault(account, [self.hold])

    def fresh_amount(self, amount_usd: Decimal) -> Decimal:
        """An amount that the hold never had, so that no write that is late finds what it expects.

        At most a few millionths of a millionth of a dollar above what is asked for.
        """
        used = {hold.amount_usd for holds in self._holds.values() for hold in holds}
        while amount_usd in used:
            amount_usd = canonical(amount_usd + QUANTUM_USD)
        return amount_usd


class Till:
    """Opens tabs by reserving and closes them by settling."""

    def __init__(
        self,
        ledger: Ledger,
        usage_log: UsageLog,
        policy: Policy,
        clock: Clock,
        observe: Observe = unobserved,
    ) -> None:
        self._ledger = ledger
        self._usage_log = usage_log
        self._policy = policy
        self._clock = clock
        self._observe = observe

    async def open(  # the one place where all parts of a request meet
        self,
        request_id: str,
        caller: Caller,
        request: InferenceRequest,
        quote: Quote,
        limits: Sequence[Limit],
        *,
        low_share: Decimal | None = None,
    ) -> Tab:
        """Reserve the quote in every account, or less if less of an answer still is of use.

        Args:
            low_share: of each limit, has to be left before this request; None for nothing.

        Raises:
            BudgetExceeded: a limit leaves too little; nothing is held.
            BudgetRunsLow: a limit leaves less than that share; nothing is held.
            StoreUnavailable: the ledger cannot be reached; nothing is spent.
        """
        now = self._clock()
        for _ in range(_LOWERINGS_MAX):
            hold = self._hold(request_id, caller, quote, now)
            barred = limits if low_share is None else _barred(limits, hold, low_share)
            refusal = await self._reserve(barred, hold, is_free=quote.is_free)
            if refusal is None:
                return Tab(request_id, now, caller, request, quote, hold, limits)
            limit, shortfall = refusal
            if low_share is not None and (
                limit not in limits or _is_low(limit, shortfall, low_share)
            ):
                raise BudgetRunsLow
            lowered = quote.lowered_to(shortfall.left_usd)
            if lowered is None:
                break
            quote = lowered
        raise _refused(limit, quote, shortfall)

    async def change(self, tab: Tab, request: InferenceRequest, quote: Quote) -> None:
        """Hold what another target may cost, or less as when the tab was opened.

        Raises:
            BudgetExceeded: a limit leaves too little; the tab stays open.
            StoreUnavailable: the ledger cannot be reached; the tab stays open.
        """
        for _ in range(_LOWERINGS_MAX):
            refusal = await self._adjust(tab, quote)
            if refusal is None:
                tab.request, tab.quote = request, quote
                return
            limit, shortfall = refusal
            lowered = quote.lowered_to(shortfall.left_usd)
            if lowered is None:
                break
            quote = lowered
        raise _refused(limit, quote, shortfall)

    async def _adjust(self, tab: Tab, quote: Quote) -> tuple[Limit, Shortfall] | None:
        amount_usd = tab.hold.amount_usd if quote is tab.quote else quote.amount_usd
        standing = [tab.holds_in(limit.account) for limit in tab.limits]
        if all(holds[-1].amount_usd == amount_usd for holds in standing):
            return None
        wanted = replace(tab.hold, amount_usd=tab.fresh_amount(amount_usd))
        for limit, holds in zip(tab.limits, standing, strict=True):
            held, limit_usd = holds[-1], None if quote.is_free else limit.limit_usd
            # Put first, because a write without an answer may have been carried out, or will be.
            holds.insert(0, wanted)
            shortfall = await self._ledger.adjust(limit.account, held, wanted.amount_usd, limit_usd)
            if shortfall is not None:
                return limit, shortfall
            holds.append(holds.pop(0))
        tab.hold = wanted
        return None

    def _hold(self, request_id: str, caller: Caller, quote: Quote, now: datetime) -> Hold:
        deadline = now.replace(microsecond=0) + timedelta(seconds=self._policy.hold_s + 1)
        return Hold(request_id, quote.amount_usd, deadline, caller.user.user_id)

    async def _reserve(
        self, limits: Sequence[Limit], hold: Hold, *, is_free: bool
    ) -> tuple[Limit, Shortfall] | None:
        reserved: list[Limit] = []
        for limit in limits:
            reserved.append(limit)
            try:
                shortfall = await self._ledger.reserve(
                    limit.account, hold, None if is_free else limit.limit_usd
                )
            except BaseException:
                # Whether the last one is held is not known; releasing what is not held is harmless.
                await uncancelled(self._release(reserved, hold))
                raise
            if shortfall is not None:
                await uncancelled(self._release(reserved[:-1], hold))
                return limit, shortfall
        return None

    async def _release(self, limits: Sequence[Limit], hold: Hold) -> None:
        for limit in limits:
            try:
                await self._ledger.release(limit.account, hold)
            except StoreUnavailable:
                _LOG.exception("a hold stays until it expires", extra={"hold_id": hold.hold_id})

    async def close(self, tab: Tab, outcome: Outcome) -> None:
        """Write the books of a request, whoever cancels it meanwhile.

        A ledger that cannot be reached does not take the answer from its caller: the hold stays,
        and the sweeper closes it by the record, or in full if there is none.
        """
        if not tab.is_closed:
            tab.is_closed = True
            await uncancelled(self._close(tab, outcome))

    async def _close(self, tab: Tab, outcome: Outcome) -> None:
        record = self._record(tab, outcome)
        try:
            kept = await self._usage_log.record(record)
            tab.cost_usd = kept.cost_usd
            for limit in tab.limits:
                await self._settle(tab, limit, kept.cost_usd or ZERO)
            if tab.ticket is not None and kept.usage is not None:
                await tab.ticket.correct(kept.usage.total_tokens)
        except StoreUnavailable:
            _LOG.exception(
                "a request's books stay open until its hold expires",
                extra={"request_id": tab.request_id},
            )
        self._observe(Closed(record, outcome.failure, tab.trail.failures))

    async def _settle(self, tab: Tab, limit: Limit, cost_usd: Decimal) -> None:
        for hold in reversed(tab.holds_in(limit.account)):
            if await self._ledger.settle(limit.account, hold, cost_usd):
                return

    def _record(self, tab: Tab, outcome: Outcome) -> UsageRecord:
        usage, charge, is_estimated = self._bill(tab, outcome)
        price, model = tab.quote.price, tab.request.model
        caller, now = tab.caller, self._clock()
        return UsageRecord(
            request_id=tab.request_id,
            user_id=caller.user.user_id,
            created_at=tab.opened_at,
            endpoint=tab.request.endpoint,
            status=outcome.status,
            key_id=caller.key.key_id if caller.key else None,
            provider=model.provider,
            model=model.model,
            usage=usage,
            cost_usd=None if charge is None else charge.cost_usd,
            is_estimated=is_estimated,
            is_streamed=tab.request.is_streamed,
            error_message=outcome.error_message,
            duration_ms=(now - tab.opened_at) // timedelta(milliseconds=1),
            first_token_ms=outcome.first_token_ms,
            **charged_rates(price, charge),
            service_tier=_service_tier(tab, outcome),
            reported_cost_usd=outcome.reported_cost_usd,
            upstream_request_id=outcome.upstream_request_id,
            project_id=caller.project.project_id if caller.project else None,
            client_id=caller.client_id,
            provider_key_id=tab.provider_key_id,
            **tab.trail.remarks(str(model)),
        )

    def _bill(self, tab: Tab, outcome: Outcome) -> tuple[TokenUsage | None, Charge | None, bool]:
        """Tokens, what they are charged, and whether they are upper bounds."""
        price = tab.quote.price
        match outcome.billing:
            case Billing.NOTHING:
                return None, Charge(ZERO, {}), False
            case Billing.UNKNOWN:
                amount_usd = tab.hold.amount_usd if self._policy.charges_unknown else ZERO
                return None, None if price is None else Charge(amount_usd, {}), True
            case Billing.METERED:
                known = counted(outcome.usage, _own_usage(tab.request, price), price)
                if known is None:
                    return _bill_of_unreported(tab, outcome)
                if price is None:
                    return known, None, False
                known = told_apart(known, tab.quote.bound, price)
                return known, _charge(tab, outcome, known, price), False


def _bill_of_unreported(
    tab: Tab, outcome: Outcome
) -> tuple[TokenUsage | None, Charge | None, bool]:
    """All that the bound allows of the input, and of the output what was seen, at the dearest."""
    bound, price = tab.quote.bound, tab.quote.price
    usage = most(bound, outcome.output_bytes)
    if price is None:
        return usage, None, True
    cost_usd = charge_of_unreported(bound, price, outcome.output_bytes, outcome.service_tier)
    return usage, replace(_charge(tab, outcome, usage, price), cost_usd=cost_usd), True


def _charge(tab: Tab, outcome: Outcome, usage: TokenUsage, price: Price) -> Charge:
    return charge_of(usage, price, tab.quote.bound.service_tier, outcome.service_tier)


def _service_tier(tab: Tab, outcome: Outcome) -> str | None:
    price, requested = tab.quote.price, tab.quote.bound.service_tier
    if price is None:
        return outcome.service_tier or requested
    return charged_tier(price, requested, outcome.service_tier)


def _own_usage(request: InferenceRequest, price: Price | None) -> TokenUsage | None:
    return request.own_usage(price) if isinstance(request, TellsItsUsage) else None


def _barred(limits: Sequence[Limit], hold: Hold, low_share: Decimal) -> Sequence[Limit]:
    """Limits that only admit the hold while a share is left before it; it may reach into that."""
    return tuple(
        limit
        if limit.limit_usd is None or hold.amount_usd >= limit.limit_usd * low_share
        else replace(limit, limit_usd=_high_usd(limit.limit_usd, low_share) + hold.amount_usd)
        for limit in limits
    )


def _is_low(limit: Limit, shortfall: Shortfall, low_share: Decimal) -> bool:
    return limit.limit_usd is not None and shortfall.left_usd < limit.limit_usd * low_share


def _high_usd(limit_usd: Decimal, low_share: Decimal) -> Decimal:
    """The most that may be committed for a budget not to run low."""
    return canonical(limit_usd * (1 - low_share))


def _refused(limit: Limit, quote: Quote, shortfall: Shortfall) -> BudgetExceeded:
    needed, left = quote.amount_usd, shortfall.left_usd
    return BudgetExceeded(
        f"{limit.label} has exceeded budget limit",
        advice=(
            f"This request may cost up to {display(needed)} and {display(left)} is left: "
            f"shorten it, lower its output limit, or wait {_until(limit)}"
        ),
        needed_usd=needed,
        left_usd=left,
    )


def _until(limit: Limit) -> str:
    end = limit.account.period.end
    return "for a larger budget" if end is None else f"until {end:%Y-%m-%dT%H:%M:%SZ}"
