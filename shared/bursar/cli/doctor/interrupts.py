"""Keeps an interrupt waiting while something must not be left half done."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_TERMINATED: Final = 143


@contextmanager
def orderly_end() -> Iterator[None]:
    """End by SIGTERM as by Ctrl-C, so that what was made is removed on the way out."""
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Finish what is inside first; a signal that came meanwhile has its effect behind it."""
    came: list[int] = []
    before = {one: signal.signal(one, lambda number, _: came.append(number)) for one in _SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    if came:
        signal.raise_signal(came[0])


def _end(*_: object) -> None:
    sys.exit(_TERMINATED)
