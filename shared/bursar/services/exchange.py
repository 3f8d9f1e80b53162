"""The exchange with a provider: send, meter, and close the books whatever happens."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bursar.domain.errors import UpstreamUnreachable
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
    passed_headers,
    read_error,
    refusal,
    stream_headers,
    upstream_request_id,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.dialects.passage import Passage
    from bursar.domain.upstream import Target
    from bursar.ports import UpstreamAnswer
    from bursar.services.tab import Tab

_OK = range(200, 300)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Speaks with providers and tells the till how it went."""

    upstream: Upstream
    till: Till
    policy: Policy

    async def run(
        self, tab: Tab, target: Target, passage: Passage, headers: Mapping[str, str]
    ) -> WholeAnswer | StreamedAnswer:
        """Send the request and answer with what came, or with a stream of what comes.

        Raises:
            UpstreamError: the provider failed before anything reached the caller.
        """
        deadline = time.monotonic() + self.policy.request_timeout_s
        answer = await self._send(tab, target, passage, headers, deadline)
        try:
            return await self._read(tab, target, passage, answer, deadline)
        except BaseException as error:
            if not tab.is_closed:
                await self._failed(tab, Billing.UNKNOWN, error)
            raise

    async def _read(
        self,
        tab: Tab,
        target: Target,
        passage: Passage,
        answer: UpstreamAnswer,
        deadline: float,
    ) -> WholeAnswer | StreamedAnswer:
        if answer.status not in _OK:
            return await self._refused(tab, target, passage, answer, deadline)
        if tab.request.is_streamed and _is_stream(answer, passage):
            return await self._streamed(tab, target, passage, answer, deadline)
        return await self._whole(tab, passage, answer, deadline)

    async def _send(
        self,
        tab: Tab,
        target: Target,
        passage: Passage,
        headers: Mapping[str, str],
        deadline: float,
    ) -> UpstreamAnswer:
        billing = Billing.NOTHING
        try:
            outgoing = request_to(target, passage, tab, headers)
            billing = Billing.UNKNOWN
            async with until(deadline):
                return await self.upstream.send(outgoing)
        except UpstreamUnreachable as error:
            await self._failed(tab, Billing.NOTHING, error)
            raise
        except asyncio.CancelledError as error:
            await self._abandoned(tab, billing, error)
            raise
        except BaseException as error:
            await self._failed(tab, billing, error)
            raise

    async def _abandoned(self, tab: Tab, billing: Billing, error: asyncio.CancelledError) -> None:
        """A stream's caller left before it began: nothing was generated that anybody saw.

        Of a whole answer, which only a stopping gateway abandons, nobody knows.
        """
        if tab.request.is_streamed and billing is Billing.UNKNOWN:
            billing = Billing.METERED
        status = Status.DISCONNECTED if tab.request.is_streamed else Status.ERROR
        await self.till.close(tab, Outcome(status, billing, error_message=named(error)))

    async def _refused(
        self,
        tab: Tab,
        target: Target,
        passage: Passage,
        answer: UpstreamAnswer,
        deadline: float,
    ) -> WholeAnswer:
        body = b""
        try:
            async with until(deadline):
                body = await read_error(answer)
            return refusal(answer, body, target, passage, tab.request.errors)
        finally:
            await uncancelled(answer.close())
            said = f"status {answer.status}: {body.decode(errors='replace')}"
            message = quoted(said, target.api_key)
            failure = failure_by(answer.status)
            await self.till.close(tab, _error(Billing.NOTHING, message, failure, answer))

    async def _whole(
        self, tab: Tab, passage: Passage, answer: UpstreamAnswer, deadline: float
    ) -> WholeAnswer:
        try:
            async with until(deadline):
                body = b"".join([chunk async for chunk in answer.chunks()])
        finally:
            await uncancelled(answer.close())
        metered = passage.meter(body)
        outcome = Outcome(
            Status.SUCCESS,
            Billing.METERED,
            metered.usage,
            metered.output_bytes,
            upstream_request_id=upstream_request_id(answer.headers),
            reported_cost_usd=metered.reported_cost_usd,
            service_tier=metered.service_tier,
        )
        await self.till.close(tab, outcome)
        return WholeAnswer(answer.status, passed_headers(answer.headers), passage.whole(body))

    async def _streamed(
        self,
        tab: Tab,
        target: Target,
        passage: Passage,
        answer: UpstreamAnswer,
        deadline: float,
    ) -> StreamedAnswer:
        sent_at = deadline - self.policy.request_timeout_s
        stream = MeteredStream(answer, passage.stream(), target.api_key)
        relay = StreamRelay(tab, self.till, stream, sent_at=sent_at, deadline=deadline)
        await relay.start()
        return StreamedAnswer(answer.status, stream_headers(answer.headers), relay)

    async def _failed(self, tab: Tab, billing: Billing, error: BaseException) -> None:
        await self.till.close(tab, _error(billing, named(error), failure_of(error)))


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
    return answer.headers.get("content-type", "").startswith(passage.stream_type)
