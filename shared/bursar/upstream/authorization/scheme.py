"""What each way to authorize a request has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bursar.domain.errors import UpstreamUnreachable

if TYPE_CHECKING:
    from bursar.domain.upstream import Authorization, UpstreamRequest


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Grant:
    """What authorizes one request.

    Attributes:
        headers: to be sent with it, names in lower case.
        refused: called when the provider answers that it is not authorized; tells whether another
            grant may be.
    """

    headers: Mapping[str, str] = field(repr=False)
    refused: Callable[[], bool] = _never


class Scheme(Protocol):
    """One way to authorize requests, such as a signature or a token that is exchanged for."""

    async def grant(self, request: UpstreamRequest, authorization: Authorization) -> Grant:
        """What authorizes a request.

        Raises:
            UpstreamUnreachable: nothing does, so the provider has seen nothing of the request.
        """
        ...


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def not_authorized(provider: str, reason: str) -> UpstreamUnreachable:
    """Nothing was sent to the provider, and so nothing spent."""
    return UpstreamUnreachable(f"{provider} could not be called: {reason}.")
