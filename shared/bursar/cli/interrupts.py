"""Keeps an interrupt waiting while something must not be left half done."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The terminal's end as well, where there is such a signal.
_ENDING: Final = (signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
_SIGNALS: Final = (signal.SIGINT, *_ENDING)
# A shell's codes for what a signal ended: this and the signal's number.
_BY_SIGNAL: Final = 128


@contextmanager
def orderly_end() -> Iterator[None]:
    """End by other signals as by Ctrl-C, so that what was made is removed on the way out."""
    # What is ignored stays so, as the terminal's end by nohup.
    heeded = [one for one in _ENDING if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, _end) for one in heeded}
    try:
        yield
    finally:
        _restore(before)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Finish what is inside first; a signal that came meanwhile has its effect behind it."""
    came: list[int] = []
    before = {one: signal.signal(one, lambda number, _: came.append(number)) for one in _SIGNALS}
    try:
        yield
    finally:
        _restore(before)
    if came:
        signal.raise_signal(came[0])


def _restore(handlers: Mapping[signal.Signals, Any]) -> None:
    for one, handler in handlers.items():
        signal.signal(one, handler)


def _end(number: int, _: object) -> None:
    sys.exit(_BY_SIGNAL + number)
