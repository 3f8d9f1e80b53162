"""What the gateway answers: a whole body, or a stream that is relayed while it comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Write = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Relay(Protocol):
    async def run(self, write: Write) -> None:
        """Pass the stream on until it ends, and close the books before its last bytes.

        Cancelling it, or a `write` that raises OSError, means that the caller has gone: the
        provider's work is cancelled and what was generated is charged.
        """
        ...

    async def abandon(self, error: BaseException) -> None:
        """End a stream that nobody will take, in the place of `run`."""
        ...


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    status: int
    headers: Mapping[str, str]
    relay: Relay
