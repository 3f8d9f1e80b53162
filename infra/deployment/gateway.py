"""The management API of a deployed stack, as far as a first try of it needs that."""

from __future__ import annotations

import json
import shlex
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TIMEOUT_S = 30.0
_FIRST_BUDGET_USD = 5
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_NOT_FOUND = 404


class GatewayRefused(Exception):
    """The gateway answered with an error; the message holds no key."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(f"{what}: the gateway answered {status}")
        self.status = status


class Gateway:
    """Administers one gateway.

    Args:
        url: without `/v1`.
        master_key: sent to that address only; redirects are not followed.

    Raises:
        ValueError: the address would carry the key in plain text.
    """

    def __init__(self, url: str, master_key: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError(f"{url} is not https")
        self._url = url
        self._master_key = master_key
        self._opener = urllib.request.build_opener(_NoRedirects)

    def wait_until_healthy(self, timeout_s: float = 90.0, pause_s: float = 2.0) -> None:
        """Ask until the gateway answers; a new stage takes some seconds to be known everywhere.

        Raises:
            TimeoutError: it does not, or not with success.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                self._send("GET", "/health")
            except (GatewayRefused, OSError) as failure:
                if time.monotonic() > deadline_s:
                    raise TimeoutError(f"{self._url}/health: {failure}") from failure
                time.sleep(pause_s)
            else:
                return

    def add_prices(self, prices: Iterable[Mapping[str, Any]]) -> None:
        """Enter prices for the models that have none; what an administrator set stays."""
        for price in prices:
            try:
                self._send("GET", f"/v1/pricing/{quote(price['model_key'], safe=':/')}")
            except GatewayRefused as refused:
                if refused.status != _NOT_FOUND:
                    raise
                self._send("POST", "/v1/pricing", price)

    def first_key(self) -> str:
        """Issue a virtual key that may spend a few dollars a month."""
        limit = {"max_budget": _FIRST_BUDGET_USD, "budget_period": "month"}
        budget = self._send("POST", "/v1/budgets", limit)
        wanted = {"key_name": "first deployment", "budget_id": budget["budget_id"]}
        return str(self._send("POST", "/v1/keys", wanted)["key"])

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 (the scheme was checked)
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Authorization": f"Bearer {self._master_key}",
                "Content-Type": "application/json",
            },
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            error.close()
            raise GatewayRefused(f"{method} {path}", error.code) from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def curl_line(url: str, virtual_key: str, model: str) -> str:
    """One command that asks a model something and shows the answer as it comes."""
    messages = [{"role": "user", "content": "Say hello!"}]
    body = {"model": model, "messages": messages, "stream": True}
    words = [
        *("curl", "-N", f"{url}/v1/chat/completions"),
        *("-H", f"Authorization: Bearer {virtual_key}"),
        *("-H", "Content-Type: application/json"),
        *("-d", json.dumps(body)),
    ]
    return shlex.join(words)
