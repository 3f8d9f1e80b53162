"""What is read from a provider's answer for the books, whatever the dialect."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from bursar.domain.usage import TokenUsage

if TYPE_CHECKING:
    from bursar.dialects.stream_errors import StreamError
    from bursar.domain.unseen import Unseen

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading a provider's JSON may raise; its bytes pass on and are metered by their length."""


@dataclass(frozen=True, slots=True)
class MeteredAnswer:
    """What an answer says of itself.

    Attributes:
        usage: None where the provider reported none.
        output_bytes: UTF-8 length of what was generated; of the whole body where it is unreadable.
        reported_cost_usd: what the provider says that it charges, where it does.
        service_tier: the tier that it says it served the request in.
    """

    usage: TokenUsage | None
    output_bytes: int
    reported_cost_usd: Decimal | None = None
    service_tier: str | None = None


class StreamMeter(Protocol):
    """Reads a provider's stream frame by frame.

    Attributes:
        output_bytes: length of everything generated so far, in UTF-8; no fewer than its tokens.
        reported_cost_usd: what the provider says that it charges, where it does.
        service_tier: the tier that it says it served the request in.
        is_done: the terminal event has come, and nothing before it said that the answer failed.
        last_words: the terminal event as it came, which waits until the books are closed.
        error: what the provider said went wrong; None if nothing did.
    """

    output_bytes: int
    reported_cost_usd: Decimal | None
    service_tier: str | None
    is_done: bool
    last_words: bytes
    error: StreamError | None

    @property
    def usage(self) -> TokenUsage | None:
        """What the provider reported so far, None if nothing; never less than has come."""
        ...

    @property
    def unseen(self) -> Unseen | None:
        """What may have been done that nothing told so far, None where all is told or seen."""
        ...

    def passes(self, frame: bytes) -> bool:
        """Meter a frame; tell whether it goes on to a caller of the same dialect now."""
        ...

    def take(self, frame: bytes) -> dict[str, Any] | None:
        """Meter a frame; its event decoded, or None where there is nothing to translate."""
        ...
