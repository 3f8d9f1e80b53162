"""What every log line of a request says, without each place that logs having to know it."""

from __future__ import annotations

from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTHING: Mapping[str, str] = MappingProxyType({})
_BOUND: ContextVar[Mapping[str, str]] = ContextVar("bound", default=_NOTHING)


def bind(**fields: str) -> None:
    """Say these fields on every line from here on, in this task and those it starts."""
    _BOUND.set({**_BOUND.get(), **fields})


def bound() -> Mapping[str, str]:
    """What is said on every line here."""
    return _BOUND.get()
