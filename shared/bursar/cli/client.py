"""The process's HTTP client."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import httpx2

TIMEOUT_S: Final = 60.0


def client(url: str) -> httpx2.Client:
    """One for all requests of a scheme: certificates are read once and connections kept.

    Args:
        url: any of the server's. Without TLS the trust store, a third of all that such a request
            costs, stays unread. Redirects, which could lead to TLS, are not followed.
    """
    return _client(is_plain=url.lower().startswith("http://"))


@cache
def _client(*, is_plain: bool) -> httpx2.Client:
    # Importing it is half of what starting this command would cost.
    import httpx2  # noqa: PLC0415

    return httpx2.Client(timeout=TIMEOUT_S, verify=not is_plain, follow_redirects=False)
