"""The inference routes, straight on ASGI.

A stream is written as it comes and its caller's disconnect is heard while it does, for which a
framework's response objects leave no room.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from bursar.dialects.openai_errors import INTERNAL_ERROR, body_of, headers_of, status_of
from bursar.domain.errors import BursarError, RequestTooLarge
from bursar.domain.ids import request_id as new_request_id
from bursar.services.answers import StreamedAnswer, WholeAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from bursar.services.completion import Completion
    from bursar.services.quoting import InferenceRequest

_LOG = logging.getLogger(__name__)


class ClientGone(OSError):
    """The caller closed the connection before the answer was complete."""


class InferenceRoute:
    """One dialect's route.

    Args:
        completion: the service.
        parse: the dialect's parser.
        request_bytes_max: longest body accepted.
    """

    def __init__(
        self,
        completion: Completion,
        parse: Callable[[bytes], InferenceRequest],
        request_bytes_max: int,
    ) -> None:
        self._completion = completion
        self._parse = parse
        self._request_bytes_max = request_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        identifier = new_request_id(datetime.now(UTC))
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        try:
            body = await self._body(receive)
            answer = await self._completion.serve(identifier, headers, body, self._parse)
        except ClientGone:
            return
        except BursarError as error:
            await _send_error(send, identifier, error)
        except Exception:  # noqa: BLE001 (the last resort: logged, and answered in JSON)
            _LOG.exception("a request failed", extra={"request_id": identifier})
            await _send_error(send, identifier, INTERNAL_ERROR)
        else:
            await _send_answer(receive, send, identifier, answer)

    async def _body(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            body += message.get("body", b"")
            if len(body) > self._request_bytes_max:
                raise RequestTooLarge(
                    f"The request is larger than {self._request_bytes_max} bytes, the most that "
                    "this gateway takes"
                )
            if not message.get("more_body", False):
                return bytes(body)


async def _send_answer(
    receive: Receive, send: Send, identifier: str, answer: WholeAnswer | StreamedAnswer
) -> None:
    if isinstance(answer, WholeAnswer):
        await _send_whole(send, identifier, answer)
    else:
        await _send_stream(receive, send, identifier, answer)


async def _send_error(send: Send, identifier: str, error: BursarError) -> None:
    headers = {"content-type": "application/json", **headers_of(error)}
    body = msgspec.json.encode(body_of(error))
    await _send_whole(send, identifier, WholeAnswer(status_of(error), headers, body))


async def _send_whole(send: Send, identifier: str, answer: WholeAnswer) -> None:
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    await _send_start(send, identifier, answer.status, headers)
    await send({"type": "http.response.body", "body": answer.body})


async def _send_start(send: Send, identifier: str, status: int, headers: Mapping[str, str]) -> None:
    named = {**headers, "x-request-id": identifier, "x-correlation-id": identifier}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def _send_stream(
    receive: Receive, send: Send, identifier: str, answer: StreamedAnswer
) -> None:
    relaying = asyncio.create_task(_relay(send, identifier, answer))
    watching = asyncio.create_task(_until_gone(receive))
    try:
        await asyncio.wait({relaying, watching}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watching.cancel()
        relaying.cancel()
        # The relay closes its books before it lets the cancellation through.
        with suppress(asyncio.CancelledError, OSError):
            await relaying


async def _relay(send: Send, identifier: str, answer: StreamedAnswer) -> None:
    is_started = False

    async def write(piece: bytes) -> None:
        nonlocal is_started
        if not is_started:
            is_started = True
            # Proxies in front must not collect the stream.
            headers = {**answer.headers, "x-accel-buffering": "no"}
            await _send_start(send, identifier, answer.status, headers)
        await send({"type": "http.response.body", "body": piece, "more_body": True})

    await answer.relay.run(write)
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
