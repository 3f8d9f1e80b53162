"""How a command reaches a gateway's management API."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from bursar.cli.client import client
from bursar.cli.failures import Failed, RefusedByGateway
from bursar.cli.output import dumped

if TYPE_CHECKING:
    from collections.abc import Mapping


class Connection(Protocol):
    """A gateway, and who is asking it."""

    @property
    def name(self) -> str:
        """Where it leads, for people."""
        ...

    @property
    def url(self) -> str:
        """The gateway's public root, where applications ask it."""
        ...

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        """Send one request; the answer's JSON with exact numbers, None where it is empty.

        Args:
            query: its parameters; those that are None are left out.

        Raises:
            RefusedByGateway: it answered with an error.
            Failed: it did not answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class HttpConnection:
    """A gateway over HTTP, asked with a key.

    Attributes:
        url: the gateway's root.
        bearer: the master key, a virtual key or a person's token; None presents nothing.
    """

    url: str
    bearer: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.url

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        # Half of what starting this command would cost, were it imported above.
        import httpx2  # noqa: PLC0415

        headers = {} if self.bearer is None else {"authorization": f"Bearer {self.bearer}"}
        content = None if body is None else dumped(body).encode()
        if content is not None:
            headers["content-type"] = "application/json"
        address = self.url.rstrip("/") + with_query(path, query)
        try:
            answer = client(address).request(method, address, content=content, headers=headers)
        except httpx2.HTTPError as error:
            raise Failed(
                f"{self.url} does not answer ({type(error).__name__}): is it running, and is "
                "the address right?"
            ) from None
        return read_answer(answer.status_code, answer.content, answer.headers)


def with_query(path: str, query: Mapping[str, object] | None) -> str:
    """A path with its parameters; those that are None are left out."""
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def read_answer(status: int, content: bytes, headers: Mapping[str, str]) -> Any:
    """An answer's JSON, numbers exact.

    Raises:
        RefusedByGateway: it is an error.
        Failed: it is no JSON, so it does not come from a gateway.
    """
    if status >= 400:
        detail = _detail(content) or f"The gateway answered with status {status}"
        raise RefusedByGateway(status, detail, headers.get("x-request-id"))
    if not content:
        return None
    try:
        return json.loads(content, parse_float=Decimal)
    except ValueError:
        raise Failed("What answers there is not a Bursar gateway") from None


def _detail(content: bytes) -> str | None:
    try:
        body = json.loads(content)
        if isinstance(body.get("detail"), list):
            return "\n".join(map(_wrong_field, body["detail"]))
        return str(body["error"]["message"] if "error" in body else body["detail"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _wrong_field(found: Any) -> str:
    """A value that does not validate, by its field's name: a line."""
    where = [str(part) for part in found["loc"] if part not in ("body", "query", "path")]
    what = str(found["msg"]).removeprefix("Value error, ")
    return f"{'.'.join(where)}: {what}" if where else what
