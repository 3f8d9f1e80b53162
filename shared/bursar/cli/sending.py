"""One request and its whole answer, by the standard library.

A client that can also stream, and knows every kind of proxy, costs more to import than all else
that a command does: it is left to `asking`, and to requests that a proxy may be in the way of.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from select import select
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from bursar.cli.client import TIMEOUT_S, client
from bursar.cli.silence import silence

if TYPE_CHECKING:
    from http.client import HTTPConnection

# There, the system's own settings may name one.
_HAVE_SETTINGS: Final = ("darwin", "win32")
# The process's, by scheme and server.
_connections: Final[dict[tuple[str, str], HTTPConnection]] = {}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of any status.

    Attributes:
        headers: by their names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes


def send(method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> Reply:
    """Ask once: no redirect is followed, and nothing is tried again.

    Raises:
        Failed: nothing came back; says why.
    """
    if has_proxy():
        return _through_proxy(method, url, headers, content)
    from http.client import HTTPException  # noqa: PLC0415 (only who asks a gateway needs it)

    try:
        return _directly(method, url, headers, content)
    except (OSError, HTTPException, ValueError) as error:
        raise silence(url, error) from None


def has_proxy() -> bool:
    """Tell whether there is one for some addresses, though maybe not for all."""
    is_named = any(name.lower().endswith("_proxy") for name in os.environ)
    if not is_named and sys.platform not in _HAVE_SETTINGS:
        return False
    from urllib.request import getproxies  # noqa: PLC0415 (few have any)

    found = getproxies()
    return any(found.get(scheme) for scheme in ("http", "https", "all"))


def _directly(method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> Reply:
    parts = urlsplit(url)
    target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    connection = _connection(parts.scheme, parts.netloc)
    if connection.sock is not None and select([connection.sock], [], [], 0)[0]:
        # Nothing was asked that this could answer: the server has closed it.
        connection.close()
    try:
        connection.request(method, target, content, {"user-agent": "bursar", **headers})
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, named, answer.read())
    except BaseException:
        # Another request, as after Ctrl-C, must not wait for this one's answer.
        connection.close()
        raise


def _connection(scheme: str, netloc: str) -> HTTPConnection:
    """A server's connection, which opens when it is used, and again after it was closed."""
    from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415

    known = _connections.get((scheme, netloc))
    if known is not None:
        return known
    made = (
        HTTPConnection(netloc, timeout=TIMEOUT_S)
        if scheme == "http"
        else HTTPSConnection(netloc, timeout=TIMEOUT_S, context=_trust())
    )
    return _connections.setdefault((scheme, netloc), made)


def _trust() -> Any:
    """What a server's certificate must be signed by: the system's authorities, or those named."""
    import ssl  # noqa: PLC0415 (only TLS needs it)

    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    import truststore  # noqa: PLC0415 (as above)

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _through_proxy(
    method: str, url: str, headers: Mapping[str, str], content: bytes | None
) -> Reply:
    import httpx2  # noqa: PLC0415 (half of what starting this command would cost)

    try:
        answer = client(url).request(method, url, content=content, headers=dict(headers))
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise silence(url, error) from None
    return Reply(answer.status_code, dict(answer.headers), answer.content)
