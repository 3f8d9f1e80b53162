"""The exchange with a provider: send, meter, and close the books whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bursar.domain.errors import BursarError, Refused, UpstreamError, UpstreamUnreachable
from bursar.domain.usage import Status
from bursar.ports import Upstream
from bursar.services.answers import StreamedAnswer, WholeAnswer
from bursar.services.deadline import until
from bursar.services.policy import Policy
from bursar.services.relay import MeteredStream, StreamRelay
from bursar.services.remarks import failure_by, failure_of, named, quoted
from bursar.services.tab import Billing, Outcome, Till
from bursar.services.targets import request_to
from bursar.services.uncancelled import uncancelled
from bursar.services.upstream_answers import (
    counted_input,
    passed_headers,
    read_error,
    read_whole,
    refusal,
    stream_headers,
    upstream_request_id,
)

if TYPE_CHECKING:
    from bursar.dialects.passage import Passage
    from bursar.dialects.stream_errors import StreamError
    from bursar.ports import UpstreamAnswer
    from bursar.services.legs import Leg
    from bursar.services.tab import Tab

_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Failed:
    """An attempt that no provider bills, so another one may follow.

    Attributes:
        reply: what the caller is told if none does; an error is raised.
        outcome: what the books say then.
        because: in one word, as errors and metrics name it.
        was_sent: the provider was asked, or could not be reached.
        status: the provider's; None where it gave none.
        headers: the provider's, names in lower case.
    """

    reply: WholeAnswer | BursarError
    outcome: Outcome
    because: str
    was_sent: bool = True
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Speaks with providers and tells the till how it went."""

    upstream: Upstream
    till: Till
    policy: Policy

    async def attempt(
        self, tab: Tab, leg: Leg, headers: Mapping[str, str], deadline: float
    ) -> WholeAnswer | StreamedAnswer | Failed:
        """Send the request to one target: what came, a stream of what comes, or a failure.

        The books stay open after a failure that is returned, and are closed by one that is raised.

        Args:
            headers: the caller's, names in lower case.
            deadline: when the answer must be over, on the monotonic clock.

        Raises:
            UpstreamError: the provider failed, and may bill it.
        """
        answer = await self._send(tab, leg, headers, deadline)
        if isinstance(answer, Failed):
            return answer
        try:
            return await self._read(tab, leg, answer, deadline)
        except BaseException as error:
            if not tab.is_closed:
                await self._failed(tab, Billing.UNKNOWN, error)
            raise

    async def abandon(self, tab: Tab, error: BaseException) -> None:
        """Close the books of a request that ends without an attempt's having closed them."""
        if not tab.is_closed:
            left = isinstance(error, OSError | asyncio.CancelledError)
            is_away = tab.request.is_streamed and left
            status = Status.DISCONNECTED if is_away else Status.ERROR
            outcome = Outcome(status, Billing.NOTHING, error_message=named(error))
            await self.till.close(tab, outcome)

    async def _read(
        self, tab: Tab, leg: Leg, answer: UpstreamAnswer, deadline: float
    ) -> WholeAnswer | StreamedAnswer | Failed:
        if answer.status not in _OK:
            return await self._refused(tab, leg, answer, deadline)
        if tab.request.is_streamed and _is_stream(answer, leg.passage):
            return await self._streamed(tab, leg, answer, deadline)
        return await self._whole(tab, leg.passage, answer, deadline)

    async def _send(
        self, tab: Tab, leg: Leg, headers: Mapping[str, str], deadline: float
    ) -> UpstreamAnswer | Failed:
        billing = Billing.NOTHING
        try:
            outgoing = request_to(leg.target, leg.passage, tab, headers)
            billing = Billing.UNKNOWN
            async with until(deadline):
                return await self.upstream.send(outgoing)
        except (UpstreamUnreachable, Refused) as error:
            was_sent = isinstance(error, UpstreamUnreachable)
            outcome = _error(Billing.NOTHING, named(error), failure_of(error))
            return Failed(error, outcome, error.code, was_sent)
        except asyncio.CancelledError as error:
            await self._abandoned(tab, leg, billing, error)
            raise
        except BaseException as error:
            await self._failed(tab, billing, error)
            raise

    async def _abandoned(
        self, tab: Tab, leg: Leg, billing: Billing, error: asyncio.CancelledError
    ) -> None:
        """A stream's caller left before it began: nothing was generated that anybody saw.

        Of a whole answer, which only a stopping gateway abandons, nobody knows.
        """
        if tab.request.is_streamed and billing is Billing.UNKNOWN:
            billing = Billing.METERED
        status = Status.DISCONNECTED if tab.request.is_streamed else Status.ERROR
        unseen = leg.passage.stream().unseen if tab.request.is_streamed else None
        outcome = Outcome(status, billing, error_message=named(error), unseen=unseen)
        await self.till.close(tab, outcome)

    async def _refused(self, tab: Tab, leg: Leg, answer: UpstreamAnswer, deadline: float) -> Failed:
        body = b""
        reply: WholeAnswer | BursarError
        target, status = leg.target, answer.status
        try:
            async with until(deadline):
                body = await read_error(answer)
            reply = _reply(tab, leg, status, answer.headers, body)
        except UpstreamError as error:
            reply = error
        except BaseException as error:
            await self._failed(tab, Billing.NOTHING, error)
            raise
        finally:
            await uncancelled(answer.close())
        said = f"status {status}: {body.decode(errors='replace')}"
        failure = failure_by(status)
        outcome = _error(Billing.NOTHING, quoted(said, target.api_key), failure, answer)
        return Failed(reply, outcome, failure, status=status, headers=answer.headers)

    async def _whole(
        self, tab: Tab, passage: Passage, answer: UpstreamAnswer, deadline: float
    ) -> WholeAnswer:
        try:
            async with until(deadline):
                body = await read_whole(answer, tab.request.model.provider)
        finally:
            await uncancelled(answer.close())
        metered = passage.meter(body)
        outcome = Outcome(
            Status.SUCCESS,
            Billing.METERED,
            metered.usage or counted_input(answer.headers),
            metered.output_bytes,
            upstream_request_id=upstream_request_id(answer.headers),
            reported_cost_usd=metered.reported_cost_usd,
            service_tier=metered.service_tier,
        )
        await self.till.close(tab, outcome)
        return WholeAnswer(answer.status, passed_headers(answer.headers), passage.whole(body))

    async def _streamed(
        self, tab: Tab, leg: Leg, answer: UpstreamAnswer, deadline: float
    ) -> StreamedAnswer | Failed:
        sent_at = deadline - self.policy.request_timeout_s
        stream = MeteredStream(answer, leg.passage.stream(), leg.target.api_key)
        relay = StreamRelay(tab, self.till, stream, sent_at=sent_at, deadline=deadline)
        refused = await relay.start()
        if refused is not None:
            return _refused_in_stream(tab, leg, answer, refused)
        return StreamedAnswer(answer.status, stream_headers(answer.headers), relay)

    async def _failed(self, tab: Tab, billing: Billing, error: BaseException) -> None:
        await self.till.close(tab, _error(billing, named(error), failure_of(error)))


def _refused_in_stream(tab: Tab, leg: Leg, answer: UpstreamAnswer, error: StreamError) -> Failed:
    """An error that came as the first event is told as the status that it stands for."""
    target, status = leg.target, error.status
    headers = {**answer.headers, "content-type": "application/json"}
    reply: WholeAnswer | BursarError
    try:
        reply = _reply(tab, leg, status, headers, error.body)
    except UpstreamError as failed:
        reply = failed
    failure = failure_by(status)
    outcome = _error(Billing.NOTHING, quoted(error.said, target.api_key), failure, answer)
    return Failed(reply, outcome, failure, status=status, headers=headers)


def _reply(tab: Tab, leg: Leg, status: int, headers: Mapping[str, str], body: bytes) -> WholeAnswer:
    errors = tab.request.errors
    return refusal(status, headers, body, target=leg.target, passage=leg.passage, errors=errors)


def _error(
    billing: Billing, message: str, failure: str | None, answer: UpstreamAnswer | None = None
) -> Outcome:
    return Outcome(
        Status.ERROR,
        billing,
        error_message=message,
        upstream_request_id=upstream_request_id(answer.headers) if answer else None,
        failure=failure,
    )


def _is_stream(answer: UpstreamAnswer, passage: Passage) -> bool:
    types = (passage.stream_type, *passage.other_streams)
    return answer.headers.get("content-type", "").startswith(types)
