"""The process's HTTP client."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import httpx2

TIMEOUT_S: Final = 60.0


@cache
def client() -> httpx2.Client:
    """One for all requests: certificates are read once and connections kept.

    Importing it is half of what starting this command would cost.
    """
    import httpx2  # noqa: PLC0415

    return httpx2.Client(timeout=TIMEOUT_S)
