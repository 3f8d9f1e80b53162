"""What went wrong on the way to a provider, said without what was sent there.

Messages name the provider and a reason of our own wording. They never quote the URL, a header, the
library's text or the provider's, since any of them may hold a secret; for the same reason the
adapters raise `from None`, and a traceback does not chain to the library's exception.
"""

from __future__ import annotations

import socket
import ssl

from bursar.domain.errors import UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from bursar.upstream.addresses import MetadataAddress, PrivateAddress

_PRIVATE = (
    "its address is in a private network; if it belongs there, the administrator sets "
    "allow_private_network for it, or BURSAR_ALLOW_PRIVATE_UPSTREAMS for all"
)
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (PrivateAddress, _PRIVATE),
    (MetadataAddress, "its address is one of the cloud's own, which no setting allows"),
    (ssl.SSLCertVerificationError, "its TLS certificate is not trusted"),
    (ssl.SSLError, "the TLS handshake failed"),
    (socket.gaierror, "its host name did not resolve"),
    (ConnectionRefusedError, "the connection was refused"),
    (ConnectionResetError, "the connection was reset"),
    (TimeoutError, "connecting took too long"),
)


def unreachable(provider: str, error: BaseException) -> UpstreamUnreachable:
    """No connection came about, so the provider has seen nothing of the request."""
    return UpstreamUnreachable(f"{provider} could not be reached: {_reason(error)}.")


def unsendable(provider: str) -> UpstreamUnreachable:
    """The request's head cannot be written, so nothing of it was."""
    return UpstreamUnreachable(f"{provider} was not called: a header cannot be sent.")


def timed_out(provider: str, idle_timeout_s: float) -> UpstreamTimeout:
    """The request may have been processed; nobody knows."""
    return UpstreamTimeout(f"{provider} sent nothing for {idle_timeout_s:g} s.")


def broken_before_answer(provider: str) -> UpstreamBroken:
    """The request may have been processed; nobody knows."""
    return UpstreamBroken(f"{provider} closed the connection or sent no valid HTTP answer.")


def broken_in_body(provider: str) -> UpstreamBroken:
    return UpstreamBroken(f"{provider} ended its answer half way.")


def undecodable(provider: str) -> UpstreamBroken:
    return UpstreamBroken(f"{provider} sent a compressed answer that cannot be decoded.")


def _reason(error: BaseException) -> str:
    causes = list(_causes(error))
    for kind, reason in _REASONS:
        if any(isinstance(cause, kind) for cause in causes):
            return reason
    return "no connection could be made"


def _causes(error: BaseException) -> list[BaseException]:
    """The error and all that led to it, each once."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or any(one is known for known in found):
            continue
        found.append(one)
        waiting += [one.__cause__, one.__context__, getattr(one, "os_error", None)]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    return found
