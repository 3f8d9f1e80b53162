"""Whether an HTTP endpoint answers at all, whatever it says."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

TRY_TIMEOUT_S: Final = 2.0
PAUSE_S: Final = 0.02


def answers(endpoint: str) -> bool:
    """Tell whether one request to an endpoint gets an HTTP response of any status."""
    url = urlsplit(endpoint)
    connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = connect(url.hostname or "", url.port, timeout=TRY_TIMEOUT_S)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def wait_until_it_answers(
    endpoint: str, timeout_s: float, *, is_alive: Callable[[], bool] = lambda: True
) -> bool:
    """Ask until an endpoint answers, its server is no longer alive, or the time is over."""
    deadline = time.monotonic() + timeout_s
    while is_alive() and time.monotonic() < deadline:
        if answers(endpoint):
            return True
        time.sleep(PAUSE_S)
    return False
