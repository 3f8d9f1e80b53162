"""Relaying a stream while metering it, and closing its books before its last bytes."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from bursar.dialects.sse import is_comment
from bursar.domain.errors import BursarError, UpstreamBroken, UpstreamError
from bursar.domain.usage import Status
from bursar.services.deadline import until
from bursar.services.remarks import failure_of, named, quoted
from bursar.services.tab import Billing, Outcome
from bursar.services.uncancelled import uncancelled
from bursar.services.upstream_answers import upstream_request_id

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bursar.dialects.passage import StreamReader
    from bursar.dialects.stream_errors import StreamError
    from bursar.ports import UpstreamAnswer
    from bursar.services.answers import Write
    from bursar.services.tab import Tab, Till


_LOG = logging.getLogger(__name__)
# How long a stream that is over, or out of time, waits for its caller to take the end of it.
_LAST_WORD_S = 5.0
# How long, and how many, comments wait for the first event.
_COMMENTS_WAIT_S = 10.0
_COMMENTS_BYTES_MAX = 4096


class ClientStalled(OSError):
    """The caller is connected and does not read."""


class BrokenOff(OSError):
    """The stream ended half way, and the caller's has to end as it did: without its end."""


class MeteredStream:
    """A provider's stream as the caller may see it, up to but without its last words."""

    def __init__(self, answer: UpstreamAnswer, reader: StreamReader, api_key: str | None) -> None:
        self.answer = answer
        self.reader = reader
        self._api_key = api_key

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Whole events, joined as they came, or whatever else the stream is made of.

        Raises:
            UpstreamBroken: it ended without its terminal event, or said that it failed.
            UpstreamTimeout: nothing came for too long.
        """
        reader = self.reader
        async for chunk in self.answer.chunks():
            if piece := reader.feed(chunk):
                yield piece
            if reader.is_done or reader.error is not None:
                break
        else:
            if piece := reader.feed(None):
                yield piece
        if reader.is_done:
            return
        if reader.error is not None:
            raise UpstreamBroken("The provider reported an error in its stream")
        raise UpstreamBroken("The provider's stream ended without its terminal event")

    def remark(self, error: BaseException | None) -> str | None:
        """What the books say of how it ended: what the provider said, or what was seen."""
        if self.reader.error is not None:
            return quoted(self.reader.error.said, self._api_key)
        return None if error is None else named(error)


class StreamRelay:
    """One stream's way to its caller; see `answers.Relay`.

    Args:
        tab: what was reserved for it.
        till: where its books are closed.
        stream: what comes.
        sent_at: when the request was sent, on the monotonic clock.
        deadline: when it must be over, on the same clock.
    """

    def __init__(
        self, tab: Tab, till: Till, stream: MeteredStream, *, sent_at: float, deadline: float
    ) -> None:
        self._tab = tab
        self._till = till
        self._stream = stream
        self._pieces = stream.pieces()
        self._first: bytes | None = None
        self._sent_at = sent_at
        self._deadline = deadline
        self._first_token_ms: int | None = None
        self._has_begun = False
        self._is_writing = False

    async def start(self) -> StreamError | None:
        """Wait for the first event, so that an early failure can still be an HTTP status.

        An error in the first event's place is given back: the provider bills no answer then. The
        stream is over and its books are open.

        Raises:
            UpstreamError: the stream failed before it said anything.
        """
        try:
            async with until(self._deadline):
                self._first = await self._opening()
        except BaseException as error:
            await self._end(_status_of(error), error)
            raise
        self._first_token_ms = int((time.monotonic() - self._sent_at) * 1000)
        refused = self._refused
        if refused is not None:
            await uncancelled(self._let_go())
        return refused

    async def abandon(self, error: BaseException) -> None:
        await self._end(Status.DISCONNECTED, error)

    async def run(self, write: Write) -> None:
        try:
            # One deadline for the whole stream: a timer for each piece costs as much as the piece.
            async with until(self._deadline):
                await self._pass_on(write)
        except UpstreamError as error:
            if self._is_writing:
                stalled = ClientStalled("The caller stopped reading")
                await self._end(Status.DISCONNECTED, stalled)
                raise stalled from None
            await self._fail(write, error, error.code)
        except (OSError, asyncio.CancelledError) as error:
            await self._end(Status.DISCONNECTED, error)
            raise
        except Exception as error:  # noqa: BLE001 (logged; the caller gets an end of the stream)
            _LOG.exception("a stream failed", extra={"request_id": self._tab.request_id})
            await self._fail(write, error, BursarError.code)
        else:
            # A terminal event may itself say that the answer failed; its caller should read why.
            has_failed = self._stream.reader.error is not None
            await self._end(Status.ERROR if has_failed else Status.SUCCESS)
            await _last_word(write, self._stream.reader.last_words())

    async def _opening(self) -> bytes | None:
        """The first event, and the comments before it; after a while comments alone.

        A comment only says that the provider is there. Passing it on would fix the answer's status
        before anybody knows whether there is an answer.
        """
        opening = b""
        patient_until = time.monotonic() + _COMMENTS_WAIT_S
        try:
            async for piece in self._pieces:
                opening += piece
                self._has_begun = not is_comment(piece)
                is_long = len(opening) > _COMMENTS_BYTES_MAX or time.monotonic() > patient_until
                if self._has_begun or is_long:
                    break
        except UpstreamBroken:
            if self._refused is None:
                raise
        return opening or None

    @property
    def _refused(self) -> StreamError | None:
        """What the provider said in place of an answer, None where it has begun one."""
        reader = self._stream.reader
        has_begun = self._has_begun or reader.usage is not None or reader.output_bytes > 0
        return None if has_begun else reader.error

    async def _fail(self, write: Write, error: Exception, code: str) -> None:
        """End the stream as a failed one; what has no words for that is broken off."""
        await self._end(Status.ERROR, error)
        said = self._tab.request.errors.stream_failure(code)
        if not said:
            raise BrokenOff("The provider's stream ended half way") from error
        await _last_word(write, said)

    async def _pass_on(self, write: Write) -> None:
        piece = self._first
        while piece is not None:
            self._has_begun = self._has_begun or not is_comment(piece)
            self._is_writing = True
            await write(piece)
            self._is_writing = False
            piece = await anext(self._pieces, None)

    async def _end(self, status: Status, error: BaseException | None = None) -> None:
        await uncancelled(self._close(status, error))

    async def _close(self, status: Status, error: BaseException | None) -> None:
        try:
            await self._let_go()
        finally:
            await self._write_down(status, error)

    async def _let_go(self) -> None:
        await self._pieces.aclose()
        await self._stream.answer.close()

    async def _write_down(self, status: Status, error: BaseException | None) -> None:
        reader = self._stream.reader
        await self._till.close(
            self._tab,
            Outcome(
                status,
                Billing.METERED if self._refused is None else Billing.NOTHING,
                reader.usage,
                reader.output_bytes,
                error_message=self._stream.remark(error),
                first_token_ms=self._first_token_ms,
                upstream_request_id=upstream_request_id(self._stream.answer.headers),
                failure=failure_of(error),
                reported_cost_usd=reader.reported_cost_usd,
                service_tier=reader.service_tier,
                unseen=reader.unseen,
            ),
        )


async def _last_word(write: Write, piece: bytes) -> None:
    try:
        async with asyncio.timeout(_LAST_WORD_S):
            await write(piece)
    except TimeoutError:
        raise ClientStalled("The caller did not take the stream's end") from None


def _status_of(error: BaseException) -> Status:
    is_away = isinstance(error, OSError | asyncio.CancelledError)
    return Status.DISCONNECTED if is_away else Status.ERROR
