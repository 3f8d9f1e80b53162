"""Tokens that were exchanged for a credential, kept until shortly before they expire."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bursar.domain.errors import UpstreamUnreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_MARGIN_S: Final = 300.0
# A token that is refused right after its exchange is not refused because it was withdrawn.
_YOUNG_S: Final = 60.0
# How long a token that still holds is used before its renewal is tried again.
_RETRY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Token:
    """What an exchange gives.

    Attributes:
        text: kept out of the representation.
        lifetime_s: how long it holds from now.
    """

    text: str = field(repr=False)
    lifetime_s: float


@dataclass(slots=True)
class _Entry:
    """One credential's token, and who is fetching it.

    Attributes:
        lock: held by the one exchange under way.
        until_s: when it is to be renewed.
        ends_s: when it holds no longer.
        failures: how many exchanges failed; with `failure`, tells those who waited for one.
        failure: what the last of them said. Not the error: its traceback would keep the request.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    token: str | None = field(default=None, repr=False)
    since_s: float = 0.0
    until_s: float = 0.0
    ends_s: float = 0.0
    failures: int = 0
    failure: str | None = None


class Tokens:
    """Tokens by what they were exchanged for; one exchange of each at a time.

    Those who wait for an exchange share its outcome, a failure included, so that a token endpoint
    that is down is not asked once for every request. A token that cannot be renewed is used as long
    as it holds.

    Args:
        now_s: the Unix time. Not a monotonic clock: those may stand still in a frozen function.
        entries_max: credentials remembered; those used longest ago are forgotten.
    """

    def __init__(self, now_s: Callable[[], float], *, entries_max: int = 256) -> None:
        self._now_s = now_s
        self._entries_max = entries_max
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    async def get(self, name: str, exchange: Callable[[], Awaitable[Token]]) -> str:
        """The token of a credential, exchanged for if none is there that holds long enough.

        Args:
            name: tells credentials apart; a digest, as it is kept.
            exchange: fetches a token.

        Raises:
            UpstreamUnreachable: the exchange failed.
        """
        entry = self._entry(name)
        if (known := self._known(entry)) is not None:
            return known
        failures = entry.failures
        async with entry.lock:
            if (known := self._known(entry)) is not None:
                return known
            if entry.failures != failures and entry.failure is not None:
                raise UpstreamUnreachable(entry.failure)
            return await self._exchanged(entry, exchange)

    def refused(self, name: str, token: str) -> bool:
        """Forget a token that its provider refused; tell whether another may be had."""
        entry = self._entry(name)
        if entry.token != token:
            return True
        if self._now_s() - entry.since_s < _YOUNG_S:
            return False
        entry.token = None
        return True

    async def _exchanged(self, entry: _Entry, exchange: Callable[[], Awaitable[Token]]) -> str:
        try:
            token = await exchange()
        except UpstreamUnreachable as failure:
            now_s = self._now_s()
            if entry.token is not None and now_s < entry.ends_s:
                entry.until_s = min(now_s + _RETRY_S, entry.ends_s)
                return entry.token
            entry.failures += 1
            entry.failure = failure.message
            raise
        entry.since_s = self._now_s()
        entry.ends_s = entry.since_s + token.lifetime_s
        entry.until_s = entry.ends_s - min(_MARGIN_S, token.lifetime_s / 2)
        entry.token = token.text
        return token.text

    def _known(self, entry: _Entry) -> str | None:
        return entry.token if self._now_s() < entry.until_s else None

    def _entry(self, name: str) -> _Entry:
        entry = self._entries.setdefault(name, _Entry())
        self._entries.move_to_end(name)
        if len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)
        return entry
