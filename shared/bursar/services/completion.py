"""The life of a request, on one screen.

authenticate → parse → who pays → where to → quote → count → reserve → relay and meter → settle
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from bursar.domain.errors import BursarError
from bursar.domain.events import Observe, TurnedAway, unobserved
from bursar.services.attempts import Attempts
from bursar.services.credentials import CLIENT_NAME_HEADER, presented_credential
from bursar.services.identity import Identity
from bursar.services.last_use import LastUse
from bursar.services.legs import Journey
from bursar.services.presence import never, while_present
from bursar.services.rates import Rates
from bursar.services.routes import Routes
from bursar.services.trail import Trail, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bursar.dialects.request import InferenceRequest
    from bursar.services.answers import StreamedAnswer, WholeAnswer
    from bursar.services.attempts import Trip
    from bursar.services.presence import Gone
    from bursar.services.tab import Tab


@dataclass(frozen=True, slots=True)
class Completion:
    """Serves inference requests of every dialect."""

    identity: Identity
    routes: Routes
    rates: Rates
    attempts: Attempts
    last_use: LastUse
    observe: Observe = unobserved

    async def serve(
        self,
        request_id: str,
        headers: Mapping[str, str],
        body: bytes,
        parse: Callable[[bytes], InferenceRequest],
        gone: Gone = never,
    ) -> WholeAnswer | StreamedAnswer:
        """Carry one request from its credential to its settled books.

        Args:
            headers: names in lower case.
            parse: the dialect's parser.
            gone: returns when the caller has left. That ends a stream, even before its first
                byte; a whole answer is read to its end, since only the end tells what it cost.

        Raises:
            CallerGone: the caller of a stream left before it began.
            Refused: the request was not sent to the provider, and nothing is charged.
            UpstreamError: the provider failed; its record says what was charged.
            StoreUnavailable: the ledger cannot be reached, so nothing may be spent.
        """
        with self._counting_who_is_turned_away(request_id):
            credential = await self.identity.authenticate(presented_credential(headers))
            request = parse(body)
            client_name = headers.get(CLIENT_NAME_HEADER)
            caller = await self.identity.caller(credential, request, client_name)
            route = await self.routes.find(request.model, caller)
            journey = Journey(
                request_id,
                credential,
                caller,
                request,
                headers,
                await self.identity.limits(caller),
                route,
                Trail(route.alias, route.choice),
            )
            leg = await self.attempts.first(journey)
            ticket = await self.rates.take(
                caller,
                body_bytes=getattr(request, "text_bytes", len(body)),
                output_tokens=request.declared_output_tokens,
            )
            trip = await self.attempts.open(journey, leg)
            trip.tab.ticket = ticket
        try:
            return await self._answer(trip, gone)
        except BaseException as error:
            await self.attempts.abandon(trip, error)
            if isinstance(error, BursarError):
                error.remarks = _headers_of(trip.tab)
            raise

    async def _answer(self, trip: Trip, gone: Gone) -> WholeAnswer | StreamedAnswer:
        journey, tab = trip.journey, trip.tab
        run = partial(self.attempts.run, trip)
        answer = await (while_present(run, gone) if journey.request.is_streamed else run())
        await self.last_use.note(journey.credential.issued_key)
        await self.last_use.note_provider_key(journey.caller.project, tab.provider_key_id)
        return replace(answer, headers={**answer.headers, **_headers_of(tab)})

    @contextmanager
    def _counting_who_is_turned_away(self, request_id: str) -> Iterator[None]:
        try:
            yield
        except BursarError as error:
            self.observe(TurnedAway(request_id, error.code))
            raise


def _headers_of(tab: Tab) -> dict[str, str]:
    headers = {} if tab.ticket is None else tab.ticket.headers()
    if tab.cost_usd is not None:
        headers["x-bursar-cost-usd"] = f"{tab.cost_usd:f}"
    model = str(tab.request.model)
    headers["x-bursar-model"] = printable(model)
    headers["x-bursar-route"] = tab.trail.route(model)
    headers["x-bursar-attempts"] = str(tab.trail.attempts)
    if tab.quote.was_lowered:
        headers["x-bursar-output-limit"] = str(tab.quote.imposed_output_tokens)
    if tab.quote.imposed_calls is not None:
        headers["x-bursar-tool-call-limit"] = str(tab.quote.imposed_calls)
    return headers
