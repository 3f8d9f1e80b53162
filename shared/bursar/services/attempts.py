"""Carrying a request from target to target until one answers.

Only failures that no provider bills lead on: an attempt that may have cost something is the last
one, and so is one whose answer has begun. All attempts together have the time of one request, and
before each of them the accounts hold what its target may cost.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bursar.domain.errors import BudgetExceeded, BursarError, UpstreamError
from bursar.services.answers import Relay, StreamedAnswer
from bursar.services.deadline import time_left_s
from bursar.services.exchange import Failed
from bursar.services.legs import Journey, Leg
from bursar.services.retries import (
    WORTHWHILE_S,
    crowd_wait_s,
    is_misplaced,
    is_passing,
    retry_after_s,
    wait_s,
)
from bursar.services.tab import BudgetRunsLow, Tab

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bursar.dialects.request import InferenceRequest
    from bursar.ports import Clock
    from bursar.services.answers import WholeAnswer
    from bursar.services.breaker import Breaker
    from bursar.services.exchange import Exchange
    from bursar.services.legs import Legs
    from bursar.services.policy import Policy
    from bursar.services.quoting import Quote
    from bursar.services.tab import Till


@dataclass(slots=True)
class Trip:
    """A request whose tab is open.

    Attributes:
        leg: where it is now.
        deadline: when all must be over, on the monotonic clock.
        failures: of its present target.
        failed: what its caller is told if nothing better comes.
        relay: of the stream that is its answer, whose books are open.
    """

    journey: Journey
    tab: Tab
    leg: Leg
    deadline: float = 0.0
    failures: int = 0
    failed: Failed | None = field(default=None, init=False)
    relay: Relay | None = field(default=None, init=False)


class Attempts:
    """Opens a request's tab for the first target that its budgets have room for, and asks on.

    Args:
        draw: gives numbers from 0 up to but without 1, evenly spread.
        sleep: waits for some seconds.
    """

    def __init__(
        self,
        exchange: Exchange,
        till: Till,
        legs: Legs,
        *,
        breaker: Breaker,
        policy: Policy,
        clock: Clock,
        draw: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._exchange = exchange
        self._till = till
        self._legs = legs
        self._breaker = breaker
        self._policy = policy
        self._clock = clock
        self._draw = draw
        self._sleep = sleep

    async def first(self, journey: Journey) -> Leg:
        """The first target that can serve a request.

        Raises:
            Refused: there is none.
        """
        leg = await self._legs.next(journey)
        if leg is None:
            raise journey.refusal()
        return leg

    async def open(self, journey: Journey, leg: Leg) -> Trip:
        """Open the tab for a target, or for the next one that fits the budgets.

        Raises:
            BudgetExceeded: none fits; nothing is held.
            StoreUnavailable: the ledger cannot be reached; nothing is spent.
        """
        following: Leg | None = leg
        while following is not None:
            leg = following
            try:
                return Trip(journey, await self._open(journey, leg), leg)
            except BudgetRunsLow:
                journey.tier_down(leg.model)
            except BudgetExceeded as refusal:
                journey.pass_by(leg.model, refusal)
            following = await self._legs.next(journey)
        raise journey.refusal()

    async def _open(self, journey: Journey, leg: Leg) -> Tab:
        route, trail = journey.route, journey.trail
        is_meant_for_more = trail.cheaper is None and leg.model != route.cheaper
        tab = await self._till.open(
            journey.request_id,
            journey.caller,
            leg.request,
            leg.quote,
            journey.limits,
            low_share=route.low_share if is_meant_for_more else None,
        )
        tab.trail = trail
        return tab

    async def run(self, trip: Trip) -> WholeAnswer | StreamedAnswer:
        """Ask target after target, and answer with what the first that succeeds says.

        `abandon` has to follow whatever it raises, also where it is not begun or its answer lost.

        Raises:
            BursarError: none did; the last failure.
        """
        trip.deadline = time.monotonic() + self._policy.request_timeout_s
        while True:
            answer = await self._attempt(trip)
            if isinstance(answer, StreamedAnswer):
                trip.relay = answer.relay
            if not isinstance(answer, Failed):
                return answer
            self._note(trip, answer)
            if not await self._leads_on(trip, answer):
                return await self._give_up(trip)

    async def abandon(self, trip: Trip, error: BaseException) -> None:
        """Close the books of a request that its caller gets no answer to, unless they are closed.

        An attempt that fails closes them itself; this is about all that is before, between and
        after.
        """
        if trip.relay is not None:
            await trip.relay.abandon(error)
        else:
            await self._exchange.abandon(trip.tab, error)

    async def _attempt(self, trip: Trip) -> WholeAnswer | StreamedAnswer | Failed:
        journey, leg, tab = trip.journey, trip.leg, trip.tab
        tab.provider_key_id = leg.target.provider_key_id
        tab.trail.attempts += 1
        health = (journey.scope, leg.model)
        try:
            answer = await self._exchange.attempt(tab, leg, journey.headers, trip.deadline)
        except UpstreamError as error:
            self._breaker.failed(health, error.code)
            raise
        if isinstance(answer, Failed):
            rest_s = retry_after_s(answer.headers, self._clock())
            self._breaker.failed(health, answer.because, rest_s)
        else:
            self._breaker.succeeded(health)
        return answer

    def _note(self, trip: Trip, failed: Failed) -> None:
        trip.failures += 1
        if not failed.was_sent:
            trip.tab.trail.attempts -= 1
        trip.tab.trail.miss(str(trip.leg.model), failed.because, was_sent=failed.was_sent)
        # What a provider says is worth more to the caller than that another cannot be asked.
        if trip.failed is None or failed.was_sent:
            trip.failed = failed

    async def _leads_on(self, trip: Trip, failed: Failed) -> bool:
        """Whether there is another attempt; its target, and what is held, is then in place."""
        if failed.status == 429 and await self._next(trip):
            return True
        return await self._repeat(trip, failed) or (
            failed.status != 429 and is_misplaced(failed.status) and await self._next(trip)
        )

    async def _repeat(self, trip: Trip, failed: Failed) -> bool:
        if trip.failures > trip.journey.route.retries or not failed.was_sent:
            return False
        if not is_passing(failed.status, failed.headers):
            return False
        pause_s = wait_s(trip.failures, retry_after_s(failed.headers, self._clock()), self._draw)
        if pause_s is None or time_left_s(trip.deadline) < pause_s + WORTHWHILE_S:
            return False
        await self._sleep(pause_s)
        # Another target that was considered meanwhile may have moved what is held.
        return await self._holds(trip, trip.leg, trip.tab.request, trip.tab.quote)

    async def _next(self, trip: Trip) -> bool:
        if time_left_s(trip.deadline) < WORTHWHILE_S:
            return False
        refused: list[Leg] = []
        while (leg := await self._legs.next(trip.journey)) is not None:
            if await self._goes_to(trip, leg):
                return True
            refused.append(leg)
        return bool(refused) and await self._insists(trip, refused)

    async def _goes_to(self, trip: Trip, leg: Leg) -> bool:
        if not await self._holds(trip, leg, leg.request, leg.quote):
            return False
        trip.leg, trip.failures = leg, 0
        return True

    async def _insists(self, trip: Trip, refused: Sequence[Leg]) -> bool:
        """Ask the budgets once more: what others hold who fell back together may be free by now.

        Without it a crowd that holds a budget's whole remainder for a cheaper target can be
        refused to the last, though there is room for some.
        """
        pause_s = crowd_wait_s(self._draw)
        if time_left_s(trip.deadline) < pause_s + WORTHWHILE_S:
            return False
        await self._sleep(pause_s)
        for leg in refused:
            if await self._goes_to(trip, leg):
                return True
        return False

    async def _holds(self, trip: Trip, leg: Leg, request: InferenceRequest, quote: Quote) -> bool:
        try:
            await self._till.change(trip.tab, request, quote)
        except BudgetExceeded as refusal:
            trip.journey.pass_by(leg.model, refusal)
            return False
        return True

    async def _give_up(self, trip: Trip) -> WholeAnswer | StreamedAnswer:
        failed = trip.failed
        if failed is None:
            raise BursarError("No attempt was made")
        await self._till.close(trip.tab, failed.outcome)
        if isinstance(failed.reply, BursarError):
            raise failed.reply
        return failed.reply
