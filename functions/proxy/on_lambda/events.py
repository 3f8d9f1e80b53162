"""HTTP requests as Lambda's events tell them, in ASGI's terms.

Two formats: that of API Gateway's REST APIs (payload version 1.0), and that of function URLs and
HTTP APIs (2.0).
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlencode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PORT_UNKNOWN: Final = 0
_PORT_HTTPS: Final = 443


@dataclass(frozen=True, slots=True)
class LambdaRequest:
    """One HTTP request: its ASGI scope, and its body, which is always there as a whole."""

    scope: dict[str, Any]
    body: bytes = field(repr=False)


def request_of(event: object) -> LambdaRequest | None:
    """Read an event; None if it is no HTTP request.

    Raises:
        ValueError: its body says that it is base64, and is not.
    """
    if not isinstance(event, Mapping) or not isinstance(event.get("requestContext"), Mapping):
        return None
    if isinstance(event["requestContext"].get("http"), Mapping):
        scope = _scope_of_payload_2(event)
    elif isinstance(event.get("httpMethod"), str):
        scope = _scope_of_payload_1(event)
    else:
        return None
    return LambdaRequest(scope, _body(event))


def _scope_of_payload_1(event: Mapping[str, Any]) -> dict[str, Any]:
    headers = list(_pairs(event.get("multiValueHeaders"), event.get("headers")))
    query = _pairs(event.get("multiValueQueryStringParameters"), event.get("queryStringParameters"))
    identity = event["requestContext"].get("identity") or {}
    return _scope(
        event["httpMethod"],
        _without_base_path(event.get("path") or "/", event.get("resource") or "/"),
        urlencode(list(query)),
        headers,
        identity.get("sourceIp"),
    )


def _scope_of_payload_2(event: Mapping[str, Any]) -> dict[str, Any]:
    context = event["requestContext"]
    headers = list(_pairs(None, event.get("headers")))
    cookies = event.get("cookies") or []
    if cookies:
        headers.append(("cookie", "; ".join(cookies)))
    return _scope(
        context["http"]["method"],
        _without_stage(event.get("rawPath") or "/", context.get("stage")),
        event.get("rawQueryString") or "",
        headers,
        context["http"].get("sourceIp"),
    )


def _scope(
    method: str, path: str, query: str, headers: list[tuple[str, str]], client: str | None
) -> dict[str, Any]:
    named = {name.lower(): value for name, value in headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method.upper(),
        "scheme": named.get("x-forwarded-proto", "https"),
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "client": None if client is None else (client, _PORT_UNKNOWN),
        "server": _server(named.get("host")),
    }


def _pairs(many: object, single: object) -> Iterator[tuple[str, str]]:
    """Names and values, repeated ones one by one; either mapping may be null or missing."""
    if isinstance(many, Mapping) and many:
        for name, values in many.items():
            yield from ((name, str(value)) for value in _listed(values))
    elif isinstance(single, Mapping):
        yield from ((name, str(value)) for name, value in single.items() if value is not None)


def _listed(values: object) -> Iterable[object]:
    return values if isinstance(values, list) else []


def _without_base_path(path: str, resource: str) -> str:
    """A path as the API's routes are written.

    The stage is not in it, but what a custom domain maps to the API is, before the resource.
    """
    fixed = resource.partition("{")[0]
    start = path.find(fixed)
    return path[start:] if start > 0 else path


def _without_stage(path: str, stage: str | None) -> str:
    """HTTP APIs have their stage in front of the path; the one of function URLs never is."""
    prefix = f"/{stage}"
    return path[len(prefix) :] or "/" if f"{path}/".startswith(f"{prefix}/") else path


def _server(host: str | None) -> tuple[str, int] | None:
    if host is None:
        return None
    name, _, port = host.partition(":")
    return name, int(port) if port.isdigit() else _PORT_HTTPS


def _body(event: Mapping[str, Any]) -> bytes:
    body: str = event.get("body") or ""
    return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
