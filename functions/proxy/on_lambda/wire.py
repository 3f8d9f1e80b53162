"""The bytes of a streamed response to Lambda's Runtime API; no IO.

The response to an invocation is posted in chunks while it is produced: first a prelude of JSON
that holds status and headers, then eight NULs, then the body as it comes. What breaks it off is
told in trailers.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

PRELUDE_END: Final = bytes(8)
CONTENT_TYPE: Final = "application/vnd.awslambda.http-integration-response"

# Lambda frames the body its own way, so what an app says of its framing no longer holds.
_FRAMING: Final = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
_ERROR_TYPE: Final = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY: Final = "Lambda-Runtime-Function-Error-Body"


def prelude(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Status and headers, up to and with the NULs that end them.

    Repeated headers are joined with a comma; cookies, which cannot be, have a list of their own.
    """
    named: dict[str, str] = {}
    cookies: list[str] = []
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "set-cookie":
            cookies.append(value)
        elif name not in _FRAMING:
            named[name] = f"{named[name]}, {value}" if name in named else value
    told = {"statusCode": status, "headers": named, "cookies": cookies}
    return msgspec.json.encode(told) + PRELUDE_END


def head(host: str, invoke_id: str, invocation_id: str | None) -> bytes:
    """The request line and headers of the POST that carries a response.

    Args:
        host: where the Runtime API listens.
        invoke_id: names the invocation.
        invocation_id: echoed where the invocation came with one.
    """
    lines = [
        f"POST /2018-06-01/runtime/invocation/{invoke_id}/response HTTP/1.1",
        f"Host: {host}",
        f"Content-Type: {CONTENT_TYPE}",
        "Lambda-Runtime-Function-Response-Mode: streaming",
        "Transfer-Encoding: chunked",
        f"Trailer: {_ERROR_TYPE}, {_ERROR_BODY}",
        "Connection: close",
    ]
    if invocation_id:
        lines.append(f"Lambda-Runtime-Invocation-Id: {invocation_id}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunk(data: bytes) -> bytes:
    """One chunk; nothing for no data, because an empty chunk would be the last."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def last_chunk(error: BaseException | None = None) -> bytes:
    """The end, with what broke the answer off, if anything did.

    The error's type is told, its text is not: it may quote what only the logs may hold.
    """
    if error is None:
        return b"0\r\n\r\n"
    kind = type(error).__name__
    told = {"errorType": kind, "errorMessage": "The answer broke off", "stackTrace": []}
    body = base64.b64encode(msgspec.json.encode(told)).decode()
    return f"0\r\n{_ERROR_TYPE}: {kind}\r\n{_ERROR_BODY}: {body}\r\n\r\n".encode()
