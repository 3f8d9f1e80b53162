"""Asks a gateway's platform API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bursar.cli.failures import Failed, RefusedByGateway

_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway's address and the credential that it is asked with.

    Attributes:
        url: without `/api/v1`.
        bearer: a person's token or the master key; None presents nothing.
    """

    url: str
    bearer: str | None = field(default=None, repr=False)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Send one request; the answer's JSON.

        Raises:
            RefusedByGateway: it answered with an error.
            Failed: it did not answer.
        """
        # Half of what starting this command would cost, were it imported above.
        import httpx2  # noqa: PLC0415

        headers = {} if self.bearer is None else {"authorization": f"Bearer {self.bearer}"}
        address = f"{self.url.rstrip('/')}/api/v1{path}"
        try:
            answer = httpx2.request(method, address, json=body, headers=headers, timeout=_TIMEOUT_S)
        except httpx2.HTTPError as error:
            raise Failed(f"{self.url} does not answer ({type(error).__name__})") from None
        if answer.is_error:
            detail = _detail(answer)
            raise RefusedByGateway(answer.status_code, detail, answer.headers.get("x-request-id"))
        return answer.json() if answer.content else None


def _detail(answer: Any) -> str:
    try:
        body = answer.json()
        return str(body["error"]["message"] if "error" in body else body["detail"])
    except (ValueError, KeyError, TypeError):
        return f"The gateway answered with status {answer.status_code}"
