"""Invocations by AWS identity, past API Gateway: whoever may invoke the function administers.

`bursar --stack` sends `{"bursar": {"method": …, "path": …, "body": …}}`. No HTTP caller can:
API Gateway decides what the outermost object of its events is, and puts a request inside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

_COMMAND: Final = "bursar"
_MARK: Final = "bursar.direct"
# Of an event that came as JSON, nothing can be this very object.
_IS_DIRECT: Final = object()


def event_of(invocation: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the app is asked: the invocation itself, or the request that a command stands for."""
    command = invocation.get(_COMMAND)
    if not isinstance(command, dict) or "requestContext" in invocation:
        return invocation
    path, _, query = str(command.get("path", "/")).partition("?")
    body = command.get("body")
    headers = {"host": "direct", "content-type": "application/json"}
    return {
        _MARK: _IS_DIRECT,
        "caller": str(command.get("caller", "")),
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "http": {"method": str(command.get("method", "GET")), "path": path, "sourceIp": ""},
            "stage": "$default",
        },
        "body": body if isinstance(body, str) else None,
        "isBase64Encoded": False,
    }


def is_direct(scope: MutableMapping[str, Any]) -> bool:
    """Tell whether a request was made by AWS identity."""
    event = scope.get("aws.event")
    return isinstance(event, dict) and event.get(_MARK) is _IS_DIRECT


def claimed_caller(scope: MutableMapping[str, Any]) -> str:
    """The AWS identity that a direct caller says it has; CloudTrail knows which it was."""
    return str(scope["aws.event"]["caller"]) if is_direct(scope) else ""
