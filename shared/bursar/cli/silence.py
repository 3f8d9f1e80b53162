"""Why no answer came, in words, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bursar.cli.failures import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def silence(url: str, error: Exception) -> Failed:
    """What to tell whoever asked, from what any HTTP client raised."""
    parts = urlsplit(url)
    return Failed(f"{parts.scheme}://{parts.netloc} does not answer: {_why(error)}")


def _why(error: Exception) -> str:
    import ssl  # noqa: PLC0415 (a client has imported both)
    from socket import gaierror  # noqa: PLC0415

    said: Mapping[type[BaseException], str] = {
        ssl.SSLError: "it speaks no TLS that is understood here. Is it http:// and not https://?",
        gaierror: "no host of that name is known. Is the address right, and is there a network?",
        ConnectionRefusedError: "nothing listens there. Is it running, and is the port right?",
        TimeoutError: "nothing came in time. What was asked for may still be done: look first.",
        ConnectionError: "it closed the connection. Is it http or https, and running?",
    }
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"its certificate is not trusted ({cause.verify_message}). If an authority of "
                "your own signed it, name its file in SSL_CERT_FILE"
            )
        for kind, sentence in said.items():
            if isinstance(cause, kind):
                return sentence
    what = getattr(causes[-1], "strerror", None) or type(causes[-1]).__name__
    return f"{what}. Is it running, and is the address right?"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from, the last one the deepest."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
