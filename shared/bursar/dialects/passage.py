"""How a request travels to its provider, and its answer back.

Where the provider speaks the caller's dialect, bytes pass through. Elsewhere a translator stands
between the two; usage is read from the provider's bytes either way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from bursar.dialects.metering import UNREADABLE, MeteredAnswer, StreamMeter
from bursar.dialects.passage_streams import MISSHAPEN, PassedStream, TranslatedStream
from bursar.dialects.request import Terms
from bursar.domain.errors import UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from bursar.dialects.request import InferenceRequest
    from bursar.dialects.stream_errors import StreamError
    from bursar.dialects.translator import Translator
    from bursar.domain.unseen import Unseen
    from bursar.domain.usage import TokenUsage

_DOCUMENT = msgspec.json.Decoder(dict[str, Any])


class Splitter(Protocol):
    """Cuts a provider's bytes into frames."""

    def feed(self, chunk: bytes) -> list[bytes]: ...

    def flush(self) -> list[bytes]:
        """The frame that the end of the stream cuts off, if it still counts."""
        ...


@dataclass(frozen=True, slots=True)
class WireDialect:
    """How a provider's answers are read.

    Attributes:
        meter: of a whole answer.
        stream_meter: of one stream; takes whether usage that the caller did not ask for is to be
            withheld.
        splitter: of one stream.
        stream_type: the content type of its streams.
        other_streams: types of streams that are not made of events, such as `audio/`.
        reader: of one stream that passes, where it may be such a one.
        settle_terms: completes a translated request for its provider, given the terms and whether
            it is streamed: model, stream, the output limit, the endpoint's own fields.
    """

    meter: Callable[[bytes], MeteredAnswer]
    stream_meter: Callable[[bool], StreamMeter]
    splitter: Callable[[], Splitter]
    settle_terms: Callable[[dict[str, Any], Terms, bool], dict[str, Any]]
    stream_type: str = "text/event-stream"
    other_streams: tuple[str, ...] = ()
    reader: Callable[[Splitter, StreamMeter], StreamReader] | None = None


class StreamReader(Protocol):
    """A provider's stream as the caller may see it, and what the books see of it."""

    @property
    def usage(self) -> TokenUsage | None: ...

    @property
    def unseen(self) -> Unseen | None:
        """What may have been done that nothing told so far; see `metering.StreamMeter`."""
        ...

    @property
    def output_bytes(self) -> int: ...

    @property
    def reported_cost_usd(self) -> Decimal | None: ...

    @property
    def service_tier(self) -> str | None: ...

    @property
    def is_done(self) -> bool:
        """The provider's terminal event has come."""
        ...

    @property
    def error(self) -> StreamError | None:
        """What the provider said went wrong."""
        ...

    def feed(self, chunk: bytes | None) -> bytes:
        """Take what came, None at the end; give what may go on to the caller."""
        ...

    def last_words(self) -> bytes:
        """What ends the caller's stream, to be sent when the books are closed."""
        ...


class Passage(Protocol):
    """One request's way to a provider and back."""

    @property
    def operation(self) -> str:
        """Which of the provider's endpoints it needs."""
        ...

    @property
    def content_type(self) -> str: ...

    @property
    def stream_type(self) -> str: ...

    @property
    def other_streams(self) -> tuple[str, ...]:
        """How the content types of streams begin that are not made of events."""
        ...

    def body(self, terms: Terms) -> bytes:
        """The provider's request.

        Raises:
            Untranslatable: the provider's dialect cannot say it.
        """
        ...

    def meter(self, body: bytes) -> MeteredAnswer:
        """Read a whole answer for the books."""
        ...

    def whole(self, body: bytes) -> bytes:
        """A whole answer as the caller wants it.

        Raises:
            UpstreamBroken: it cannot be read, and so not be translated.
        """
        ...

    def stream(self) -> StreamReader: ...

    def refusal(self, status: int, body: bytes) -> bytes:
        """A provider's error body as the caller wants it."""
        ...


class PassThrough:
    """The provider speaks the caller's dialect."""

    def __init__(self, request: InferenceRequest, wire: WireDialect) -> None:
        self._request = request
        self._wire = wire

    @property
    def operation(self) -> str:
        return self._request.operation

    @property
    def content_type(self) -> str:
        return self._request.content_type

    @property
    def stream_type(self) -> str:
        return self._wire.stream_type

    @property
    def other_streams(self) -> tuple[str, ...]:
        return self._wire.other_streams

    def body(self, terms: Terms) -> bytes:
        return self._request.rewritten(terms)

    def meter(self, body: bytes) -> MeteredAnswer:
        return self._wire.meter(body)

    def whole(self, body: bytes) -> bytes:
        return body

    def stream(self) -> StreamReader:
        meter = self._wire.stream_meter(not self._request.wants_usage)
        return (self._wire.reader or PassedStream)(self._wire.splitter(), meter)

    def refusal(self, status: int, body: bytes) -> bytes:
        return body


class Translation:
    """The provider speaks another dialect.

    Args:
        request: the caller's.
        operation: the provider's dialect.
        wire: how its answers are read.
        translator: made for this request.
        framed: the caller's framing of events.
        closing: what the caller's dialect ends a stream with, after its last event.
    """

    content_type = "application/json"

    def __init__(
        self,
        request: InferenceRequest,
        operation: str,
        wire: WireDialect,
        translator: Translator,
        *,
        framed: Callable[[Iterable[dict[str, Any]]], bytes],
        closing: bytes = b"",
    ) -> None:
        self._request = request
        self.operation = operation
        self._wire = wire
        self._translator = translator
        self._framed = framed
        self._closing = closing

    @property
    def stream_type(self) -> str:
        return self._wire.stream_type

    @property
    def other_streams(self) -> tuple[str, ...]:
        return self._wire.other_streams

    def body(self, terms: Terms) -> bytes:
        translated = self._translator.request(self._request.document())
        document = self._wire.settle_terms(translated, terms, self._request.is_streamed)
        return msgspec.json.encode(document)

    def meter(self, body: bytes) -> MeteredAnswer:
        return self._wire.meter(body)

    def whole(self, body: bytes) -> bytes:
        try:
            answer = self._translator.answer(_DOCUMENT.decode(body))
        except (*UNREADABLE, *MISSHAPEN):
            raise UpstreamBroken("The provider's answer cannot be read") from None
        return msgspec.json.encode(answer)

    def stream(self) -> StreamReader:
        # What the provider counts is wanted whether or not the caller is: translators need it.
        meter = self._wire.stream_meter(False)  # noqa: FBT003 (a callable has no keywords)
        return TranslatedStream(
            self._wire.splitter(), meter, self._translator.stream(), self._framed, self._closing
        )

    def refusal(self, status: int, body: bytes) -> bytes:
        return self._request.errors.refusal(status, body)
