"""Stores as a process sees them that may die, or lose touch with them, at any of its writes."""

from __future__ import annotations

import asyncio
import copy
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bursar.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from bursar.memory import MemoryLedger, MemoryPlatform, MemoryUsageLog
    from bursar.ports import Ledger, Platform, UsageLog

ResultT = TypeVar("ResultT")


class Killed(BaseException):
    """The process is gone: not even what it does on every error happens."""


class Fate:
    """What becomes of one process, and when it lets others go first.

    Args:
        at_write: the write, counted from 0, at which it meets trouble; None spares it.
        trouble: `killed` before it; `refused`, nothing is written and it is told so; `lost`, it is
            written and the process does not learn it; `late`, the same, and it is written when
            the process has long given up.
        seed: decides between which of its steps others have theirs.
    """

    def __init__(self, at_write: int | None = None, trouble: str = "killed", seed: int = 0) -> None:
        self._left = at_write
        self._trouble = trouble
        self._late: list[Callable[[], Coroutine[Any, Any, Any]]] = []
        self._random = Random(seed)  # noqa: S311 (a test's choice)

    async def step(self, work: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
        for _ in range(self._random.randrange(3)):
            await asyncio.sleep(0)
        return await work()

    async def write(self, work: Callable[[], Coroutine[Any, Any, ResultT]]) -> ResultT:
        if self._left == 0:
            await self._meet_trouble(work)
        if self._left is not None:
            self._left -= 1
        return await self.step(work)

    async def let_late_writes_arrive(self) -> None:
        while self._late:
            await self._late.pop()()

    async def _meet_trouble(self, work: Callable[[], Coroutine[Any, Any, ResultT]]) -> None:
        if self._trouble == "killed":
            raise Killed
        self._left = None
        if self._trouble == "lost":
            await self.step(work)
        if self._trouble == "late":
            self._late.append(work)
        raise StoreUnavailable("The store was lost touch with")


class _Port:
    """A port of which some methods write; the rest only read."""

    writes: frozenset[str] = frozenset()

    def __init__(self, kept: Any, fate: Fate) -> None:
        self._kept = kept
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._kept, name)
        call = self._fate.write if name in self.writes else self._fate.step

        def stepped(*args: Any, **kwargs: Any) -> Any:
            return call(lambda: method(*args, **kwargs))

        return stepped


class _Ledger(_Port):
    writes = frozenset({"reserve", "settle", "release", "open", "close"})

    def open_accounts(self) -> Any:
        return self._kept.open_accounts()


class _UsageLog(_Port):
    writes = frozenset({"record", "enter"})


class _Leases(_Port):
    writes = frozenset({"add", "advance", "remove"})


def mortal_ledger(kept: MemoryLedger, fate: Fate) -> Ledger:
    return cast("Ledger", _Ledger(kept, fate))


def mortal_usage_log(kept: MemoryUsageLog, fate: Fate) -> UsageLog:
    return cast("UsageLog", _UsageLog(kept, fate))


def mortal_platform(kept: MemoryPlatform, fate: Fate) -> Platform:
    """The same platform, whose leases the process may lose touch with."""
    seen = copy.copy(kept)
    seen.leases = cast("Any", _Leases(kept.leases, fate))
    return seen
