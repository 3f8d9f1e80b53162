"""The inference routes, straight on ASGI.

A stream is written as it comes and its caller's disconnect is heard while it does, for which a
framework's response objects leave no room.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

import msgspec

from bursar.domain.errors import (
    INTERNAL_ERROR,
    BursarError,
    InvalidRequest,
    RequestTooLarge,
)
from bursar.domain.ids import request_id as new_request_id
from bursar.services.answers import WholeAnswer
from bursar.services.presence import CallerGone
from bursar.telemetry.context import bind
from functions.proxy.streamed import HEARTBEAT_S, raw_headers, send_stream, until_gone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import Receive, Scope, Send

    from bursar.dialects.request import InferenceRequest
    from bursar.services.answers import StreamedAnswer
    from bursar.services.presence import Gone
    from functions.proxy.inbound import Inbound

_LOG = logging.getLogger(__name__)


class Service(Protocol):
    """What answers a request; `services.completion.Completion` is the usual one."""

    async def serve(
        self,
        request_id: str,
        headers: Mapping[str, str],
        body: bytes,
        parse: Callable[[bytes], InferenceRequest],
        gone: Gone,
    ) -> WholeAnswer | StreamedAnswer: ...


class InferenceRoute:
    """One dialect's route.

    Args:
        service: what answers.
        inbound: the dialect.
        request_bytes_max: longest body accepted.
        heartbeat_s: how long a started stream may be silent.
    """

    def __init__(
        self,
        service: Service,
        inbound: Inbound,
        request_bytes_max: int,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._service = service
        self._inbound = inbound
        self._request_bytes_max = request_bytes_max
        self._heartbeat_s = heartbeat_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        identifier = new_request_id(datetime.now(UTC))
        bind(request_id=identifier)
        headers = _joined(scope["headers"])
        try:
            # An answer to half a body would reach few clients: they are still sending.
            body = await self._body(receive)
            _check_encoding(headers.get("content-encoding", "identity"))
            parse = partial(self._inbound.parse, content_type=headers.get("content-type", ""))
            answer = await self._service.serve(
                identifier, headers, body, parse, lambda: until_gone(receive)
            )
        except CallerGone:
            return
        except BursarError as error:
            await self._send_error(send, identifier, error)
        except Exception:  # noqa: BLE001 (the last resort: logged, and answered in JSON)
            _LOG.exception("a request failed", extra={"request_id": identifier})
            await self._send_error(send, identifier, INTERNAL_ERROR)
        else:
            if isinstance(answer, WholeAnswer):
                await _send_whole(send, identifier, answer)
            else:
                headers = {**answer.headers, **id_headers(identifier)}
                await send_stream(receive, send, headers, answer, self._heartbeat_s)

    async def _body(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise CallerGone
            body += message.get("body", b"")
            if len(body) > self._request_bytes_max:
                raise RequestTooLarge(
                    f"The request is larger than {self._request_bytes_max} bytes, the most that "
                    "this gateway takes"
                )
            if not message.get("more_body", False):
                return bytes(body)

    async def _send_error(self, send: Send, identifier: str, error: BursarError) -> None:
        shape = self._inbound.shape
        headers = {"content-type": "application/json", **error.remarks, **shape.headers_of(error)}
        body = msgspec.json.encode(shape.body_of(error))
        await _send_whole(send, identifier, WholeAnswer(shape.status_of(error), headers, body))


def _joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name; one that comes several times is a list (RFC 9110, section 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _check_encoding(encoding: str) -> None:
    """Raises InvalidRequest for a body that is compressed: its size would be anybody's guess."""
    if encoding.strip().lower() not in {"", "identity"}:
        raise InvalidRequest(
            f"The request body is encoded with '{encoding}', which this gateway does not take: "
            "send it uncompressed"
        )


async def _send_whole(send: Send, identifier: str, answer: WholeAnswer) -> None:
    length = {"content-length": str(len(answer.body))}
    headers = raw_headers({**answer.headers, **length, **id_headers(identifier)})
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def id_headers(identifier: str) -> dict[str, str]:
    """The request's id under the names that OpenAI's, any-llm's and Anthropic's SDKs look for."""
    return {"x-request-id": identifier, "x-correlation-id": identifier, "request-id": identifier}
