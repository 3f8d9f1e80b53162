"""Serves one request through an ASGI app into a sink, within the time that is left."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.dialects.openai_errors import body_of, status_of
from bursar.domain.errors import INTERNAL_ERROR
from bursar.services.deadline import no_later_than
from functions.proxy.on_lambda import wire

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from starlette.types import ASGIApp

    from functions.proxy.on_lambda.events import LambdaRequest
    from functions.proxy.on_lambda.sinks import Sink

_LOG = logging.getLogger(__name__)
# What an app has to end its answer and close its books, and what is left if even that hangs.
_SPARE_S: Final = 10.0
_SPARE_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Readings of the monotonic clock.

    Attributes:
        answer_by: when the app is to end its answer by itself, with its books closed.
        cancel_at: when an app that did not is cancelled.
    """

    answer_by: float
    cancel_at: float

    @classmethod
    def within(cls, remaining_s: float) -> Deadlines:
        """Divide the time until Lambda ends the invocation."""
        end = time.monotonic() + remaining_s
        spare = min(_SPARE_S, remaining_s * _SPARE_SHARE)
        return cls(end - spare, end - spare / 4)


async def serve(app: ASGIApp, request: LambdaRequest, sink: Sink, deadlines: Deadlines) -> None:
    """Run the app for one request and end its answer, whatever happens in it.

    A caller who has gone is the app's business alone: it hears `http.disconnect`, its `send`
    raises OSError, and it has its time to close its books.

    Raises:
        OSError: the sink took not even the start of an answer.
    """
    exchange = _Exchange(request.body, sink)
    failure: Exception | None = None
    try:
        with no_later_than(deadlines.answer_by):
            async with asyncio.timeout(max(0.0, deadlines.cancel_at - time.monotonic())):
                await app(request.scope, exchange.receive, exchange.send)
    except Exception as error:  # noqa: BLE001 (the last resort: logged, and told to the caller)
        failure = error
    await exchange.conclude(failure)


class _Exchange:
    """ASGI's `receive` and `send` for one request."""

    def __init__(self, body: bytes, sink: Sink) -> None:
        self._body: bytes | None = body
        self._sink = sink
        self._is_started = False
        self._is_complete = False
        self._is_gone = False

    async def receive(self) -> dict[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        if not self._is_complete:
            await self._sink.gone()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        try:
            await self._pass_on(message)
        except OSError:
            self._is_gone = self._is_started
            raise

    async def _pass_on(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start = wire.prelude(message["status"], message.get("headers", ()))
            await self._sink.start(start)
            self._is_started = True
        elif message["type"] == "http.response.body":
            await self._sink.write(message.get("body", b""))
            if not message.get("more_body", False):
                self._is_complete = True
                await self._sink.finish()

    async def conclude(self, failure: Exception | None) -> None:
        """End an answer that the app did not end."""
        if failure is not None and not self._is_gone:
            _LOG.error("a request failed", exc_info=failure)
        if not self._is_started:
            await self._apologise()
        elif self._is_gone:
            _LOG.info("a caller left before the end of the answer")
        elif not self._is_complete:
            try:
                await self._sink.finish(failure or _Incomplete())
            except OSError:
                _LOG.info("a caller left before the end of the answer")

    async def _apologise(self) -> None:
        headers = [(b"content-type", b"application/json")]
        await self._sink.start(wire.prelude(status_of(INTERNAL_ERROR), headers))
        await self._sink.write(msgspec.json.encode(body_of(INTERNAL_ERROR)))
        await self._sink.finish()


class _Incomplete(Exception):
    """The app returned in the middle of its answer."""
