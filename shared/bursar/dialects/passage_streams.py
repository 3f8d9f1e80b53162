"""A provider's stream on its way to the caller, metered as it passes: `passage.StreamReader`s."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bursar.domain.errors import UpstreamBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from bursar.dialects.metering import StreamMeter
    from bursar.dialects.passage import Splitter
    from bursar.dialects.stream_errors import StreamError
    from bursar.dialects.translator import StreamTranslator
    from bursar.domain.unseen import Unseen
    from bursar.domain.usage import TokenUsage

MISSHAPEN = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What a translator may raise over an answer that is not made as its dialect makes them."""


class _Reading:
    """What a stream's meter has seen."""

    def __init__(self, splitter: Splitter, meter: StreamMeter) -> None:
        self._splitter = splitter
        self._meter = meter

    @property
    def usage(self) -> TokenUsage | None:
        return self._meter.usage

    @property
    def unseen(self) -> Unseen | None:
        return self._meter.unseen

    @property
    def output_bytes(self) -> int:
        return self._meter.output_bytes

    @property
    def reported_cost_usd(self) -> Decimal | None:
        return self._meter.reported_cost_usd

    @property
    def service_tier(self) -> str | None:
        return self._meter.service_tier

    @property
    def is_done(self) -> bool:
        return self._meter.is_done

    @property
    def error(self) -> StreamError | None:
        return self._meter.error

    def _frames(self, chunk: bytes | None) -> list[bytes]:
        return self._splitter.flush() if chunk is None else self._splitter.feed(chunk)


class PassedStream(_Reading):
    """Same dialect: whole frames go on as they came."""

    def feed(self, chunk: bytes | None) -> bytes:
        return self._passed(self._frames(chunk))

    def last_words(self) -> bytes:
        return self._meter.last_words

    def _passed(self, frames: list[bytes]) -> bytes:
        passes = self._meter.passes
        piece = b"".join([frame for frame in frames if passes(frame)])
        return piece if piece.strip() else b""


class TranslatedStream(_Reading):
    """Another dialect: each event is translated into none, one or several of the caller's."""

    def __init__(
        self,
        splitter: Splitter,
        meter: StreamMeter,
        translator: StreamTranslator,
        framed: Callable[[Iterable[dict[str, Any]]], bytes],
        closing: bytes,
    ) -> None:
        super().__init__(splitter, meter)
        self._translator = translator
        self._framed = framed
        self._closing = closing

    def feed(self, chunk: bytes | None) -> bytes:
        events: list[dict[str, Any]] = []
        for frame in self._frames(chunk):
            event = self._meter.take(frame)
            if event is not None:
                events.extend(self._translated(event))
        return self._framed(events) if events else b""

    def last_words(self) -> bytes:
        return self._framed(self._translator.end()) + self._closing

    def _translated(self, event: dict[str, Any]) -> Iterable[dict[str, Any]]:
        try:
            return tuple(self._translator.event(event))
        except MISSHAPEN:
            raise UpstreamBroken("The provider's stream cannot be read") from None
