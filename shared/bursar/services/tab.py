"""A tab: the money of one request, from its reservation until the books are closed.

The usage record is written before the accounts settle. Whatever dies between the two leaves a
record that the sweeper settles by; whatever dies before leaves a hold that it charges.

A request that goes to another target takes its tab along: what is held is adjusted to what that
target may cost.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from bursar.dialects.request import InferenceRequest
from bursar.domain.budgets import Limit
from bursar.domain.errors import BudgetExceeded, StoreUnavailable
from bursar.domain.events import Closed, Observe, unobserved
from bursar.domain.holds import Hold
from bursar.domain.money import ZERO, display
from bursar.domain.price_tiers import charged_tier
from bursar.domain.pricing import Charge, charge_of, charge_of_unreported, told_apart
from bursar.domain.unreported import counted, most
from bursar.domain.unseen import Unseen, begun, generated_most, with_unseen
from bursar.domain.usage import Status, TokenUsage, UsageRecord
from bursar.services.charged_rates import charged_rates
from bursar.services.holding import Held, Holding, barred, is_low
from bursar.services.identity import Caller
from bursar.services.quoting import Quote
from bursar.services.rates import RateTicket
from bursar.services.trail import Trail
from bursar.services.uncancelled import uncancelled

if TYPE_CHECKING:
    from collections.abc import Callable

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
        unseen: what it may have done that nothing told, None where all is told or seen.
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
    unseen: Unseen | None = None


class BudgetRunsLow(Exception):
    """Less of a budget is left than the request's first target is meant for."""


@dataclass(slots=True)
class Tab:
    """One request's open reservation.

    Attributes:
        request: named after the target that it is for now.
        quote: of that target.
        reserved: what was held when it was opened.
        held: what is held for it.
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
    reserved: InitVar[Hold]
    limits: Sequence[Limit]
    ticket: RateTicket | None = None
    provider_key_id: str | None = None
    trail: Trail = field(default_factory=Trail)
    held: Held = field(init=False)
    cost_usd: Decimal | None = field(default=None, init=False)
    is_closed: bool = field(default=False, init=False)

    def __post_init__(self, reserved: Hold) -> None:
        self.held = Held(reserved)

    @property
    def hold(self) -> Hold:
        """What every account holds for it."""
        return self.held.hold


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
        self._holding = Holding(ledger)
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
            asked = limits if low_share is None else barred(limits, hold, low_share)
            refusal = await self._holding.reserve(asked, hold, is_free=quote.is_free)
            if refusal is None:
                return Tab(request_id, now, caller, request, quote, hold, limits)
            limit, shortfall = refusal
            if low_share is not None and (
                limit not in limits or is_low(limit, shortfall, low_share)
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
        # What is held may be a trifle more than the quote; that is no reason to adjust it.
        amount_usd = tab.hold.amount_usd if quote is tab.quote else quote.amount_usd
        return await self._holding.adjust(tab.limits, tab.held, amount_usd, is_free=quote.is_free)

    def _hold(self, request_id: str, caller: Caller, quote: Quote, now: datetime) -> Hold:
        deadline = now.replace(microsecond=0) + timedelta(seconds=self._policy.hold_s + 1)
        return Hold(request_id, quote.amount_usd, deadline, caller.user.user_id)

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
            await self._holding.settle(tab.limits, tab.held, kept.cost_usd or ZERO)
            if tab.ticket is not None and kept.usage is not None:
                await tab.ticket.correct(kept.usage.total_tokens)
        except StoreUnavailable:
            _LOG.exception(
                "a request's books stay open until its hold expires",
                extra={"request_id": tab.request_id},
            )
        self._observe(Closed(record, outcome.failure, tab.trail.failures))

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
                return self._bill_of_metered(tab, outcome)

    def _bill_of_metered(
        self, tab: Tab, outcome: Outcome
    ) -> tuple[TokenUsage | None, Charge | None, bool]:
        price, bound = tab.quote.price, tab.quote.bound
        unseen = outcome.unseen
        if unseen is not None and not self._policy.charges_unknown:
            unseen = replace(unseen, reasons=False)
        known = counted(outcome.usage, _own_usage(tab.request, price), price)
        if known is None or (unseen is not None and unseen.served_calls):
            # A round after a call is not in what was told before it.
            return _bill_of_unreported(tab, outcome, unseen)
        known = with_unseen(known, bound, unseen)
        is_estimated = unseen is not None
        if price is None:
            return known, None, is_estimated
        known = told_apart(known, bound, price)
        return known, _charge(tab, outcome, known, price), is_estimated


def _bill_of_unreported(
    tab: Tab, outcome: Outcome, unseen: Unseen | None
) -> tuple[TokenUsage | None, Charge | None, bool]:
    """All that the bound allows of the input, and of the output what was seen, at the dearest."""
    bound, price = begun(tab.quote.bound, unseen), tab.quote.price
    generated = generated_most(bound, unseen, outcome.output_bytes)
    usage = most(bound, generated)
    if price is None:
        return usage, None, True
    cost_usd = charge_of_unreported(bound, price, generated, outcome.service_tier)
    return usage, replace(_charge(tab, outcome, usage, price), cost_usd=cost_usd), True


def _charge(tab: Tab, outcome: Outcome, usage: TokenUsage, price: Price) -> Charge:
    return charge_of(usage, price, tab.quote.bound.service_tier, outcome.service_tier)


def _service_tier(tab: Tab, outcome: Outcome) -> str | None:
    price, requested = tab.quote.price, tab.quote.bound.service_tier
    if price is None:
        return outcome.service_tier or requested
    return charged_tier(price, requested, outcome.service_tier)


def _own_usage(request: InferenceRequest, price: Price | None) -> TokenUsage | None:
    """What a request tells, if it is of a kind that does.

    Asked by name: a protocol's own check costs more than the rest of the bill on Python 3.11.
    """
    tells: Callable[[Price | None], TokenUsage | None] | None
    tells = getattr(request, "own_usage", None)
    return None if tells is None else tells(price)


def _refused(limit: Limit, quote: Quote, shortfall: Shortfall) -> BudgetExceeded:
    needed, left = quote.amount_usd, shortfall.left_usd
    # Each of their calls may fill the context window again.
    served = ", leave out the tools that the provider runs" if quote.bound.tokens_per_call else ""
    return BudgetExceeded(
        f"{limit.label} has exceeded budget limit",
        advice=(
            f"This request may cost up to {display(needed)} and {display(left)} is left: "
            f"shorten it, lower its output limit{served}, or wait {_until(limit)}"
        ),
        needed_usd=needed,
        left_usd=left,
    )


def _until(limit: Limit) -> str:
    end = limit.account.period.end
    return "for a larger budget" if end is None else f"until {end:%Y-%m-%dT%H:%M:%SZ}"
