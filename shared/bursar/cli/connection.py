"""How a command reaches a gateway's management API."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlencode

from bursar.cli.exact_json import dumped
from bursar.cli.failures import NOT_ALLOWED, Failed, RefusedByGateway
from bursar.cli.sending import send

if TYPE_CHECKING:
    from collections.abc import Mapping

_PASSING: Final = (429, 500, 502, 503, 504)


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
        headers = (
            {} if self.bearer is None else {"authorization": f"Bearer {sendable(self.bearer)}"}
        )
        content = None if body is None else dumped(body).encode()
        if content is not None:
            headers["content-type"] = "application/json"
        answer = send(method, self.url.rstrip("/") + with_query(path, query), headers, content)
        return read_answer(answer.status, answer.content, answer.headers)


def sendable(key: str) -> str:
    """The same key, once it is known that a header can hold it.

    Raises:
        Failed: it cannot; says nothing of it.
    """
    if not key.isascii() or not key.isprintable():
        raise Failed(
            "The key holds characters that none has: was more copied than the key?", NOT_ALLOWED
        )
    return key


def with_query(path: str, query: Mapping[str, object] | None) -> str:
    """A path with its parameters; those that are None are left out."""
    given = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def read_answer(status: int, content: bytes, headers: Mapping[str, str]) -> Any:
    """An answer's JSON, numbers exact.

    Raises:
        RefusedByGateway: it is an error.
        Failed: it leads elsewhere, or is no JSON, so it does not come from a gateway.
    """
    request_id = headers.get("x-request-id") or headers.get("apigw-requestid")
    if status >= 400:
        raise RefusedByGateway(status, _detail(content) or _undetailed(status), request_id)
    if status >= 300:
        where = headers.get("location", "elsewhere").partition("?")[0]
        raise Failed(
            f"What answers there is not a Bursar gateway and leads on to {where}: if that is one, "
            "name it, for no key is sent along"
        )
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


def _undetailed(status: int) -> str:
    """What to say of an error that is not the gateway's own, as one of what is in front of it."""
    said = f"What answers there says {status}, and nothing that a Bursar gateway would say"
    if status in _PASSING:
        return f"{said}: it may be starting or overloaded, so try again in a moment"
    return f"{said}: is the address right?"


def _wrong_field(found: Any) -> str:
    """A value that does not validate, by its field's name: a line."""
    where = [str(part) for part in found["loc"] if part not in ("body", "query", "path")]
    what = str(found["msg"]).removeprefix("Value error, ")
    return f"{'.'.join(where)}: {what}" if where else what
