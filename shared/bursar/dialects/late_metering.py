"""Passing words on at once and metering them later.

Most frames of a stream are words: they hold a piece of the answer and nothing that decides what
becomes of the stream. Decoding each as it comes, cold after the wait for it, costs several times
as much as decoding many of them in a row, and its caller waits meanwhile. What the books see is
the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bursar.dialects.passage_streams import PassedStream

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from bursar.dialects.metering import StreamMeter
    from bursar.dialects.passage import Splitter, StreamReader
    from bursar.domain.unseen import Unseen
    from bursar.domain.usage import TokenUsage

_WORDS_MAX: Final = 64
_WORD_BYTES_MAX: Final = 4096


class LatelyMetered(PassedStream):
    """A stream of the caller's own dialect; see `passage.StreamReader`.

    Words are metered before whatever comes that is no word, when many are waiting, and when the
    books are asked. They are few and short enough to be kept.

    Args:
        is_word: whether a frame is metered without being withheld, without ending the stream and
            without an error. Whatever it is unsure of is no word.
    """

    def __init__(
        self, splitter: Splitter, meter: StreamMeter, is_word: Callable[[bytes], bool]
    ) -> None:
        super().__init__(splitter, meter)
        self._is_word = is_word
        self._waiting: list[bytes] = []

    @property
    def usage(self) -> TokenUsage | None:
        self._catch_up()
        return super().usage

    @property
    def unseen(self) -> Unseen | None:
        self._catch_up()
        return super().unseen

    @property
    def output_bytes(self) -> int:
        self._catch_up()
        return super().output_bytes

    @property
    def reported_cost_usd(self) -> Decimal | None:
        self._catch_up()
        return super().reported_cost_usd

    @property
    def service_tier(self) -> str | None:
        self._catch_up()
        return super().service_tier

    def feed(self, chunk: bytes | None) -> bytes:
        frames = self._frames(chunk)
        if len(frames) == 1:
            frame = frames[0]
            if len(frame) <= _WORD_BYTES_MAX and self._is_word(frame):
                self._waiting.append(frame)
                if len(self._waiting) >= _WORDS_MAX:
                    self._catch_up()
                return frame
        self._catch_up()
        return self._passed(frames)

    def _catch_up(self) -> None:
        waiting, self._waiting = self._waiting, []
        for frame in waiting:
            self._meter.passes(frame)


def lately_metered(
    is_word: Callable[[bytes], bool],
) -> Callable[[Splitter, StreamMeter], StreamReader]:
    """What reads a dialect's streams, given what its words are."""
    return lambda splitter, meter: LatelyMetered(splitter, meter, is_word)
