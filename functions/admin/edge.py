"""What surrounds every answer: its id, the security headers, and an answer to what went wrong."""

import logging

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bursar.domain.ids import request_id
from bursar.ports import Clock
from bursar.services.answer_headers import VARY, is_private, security_headers
from bursar.telemetry.context import bind
from functions.admin.errors import failure_body
from functions.admin.exact_json import ExactJSONResponse

_LOGGER = logging.getLogger(__name__)


class HeadersMiddleware:
    """Puts the request's id and the security headers on every answer."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = request_id(self._clock())
        scope.setdefault("state", {})["request_id"] = identifier
        bind(request_id=identifier)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _decorate(MutableHeaders(scope=message), identifier, scope["path"])
            await send(message)

        await self._app(scope, receive, send_with_headers)


class FailureMiddleware:
    """Logs what no handler foresaw and answers without telling anything about it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_started = False

        async def send_noting_the_start(message: Message) -> None:
            nonlocal is_started
            is_started = is_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noting_the_start)
        except Exception:
            if scope["type"] != "http" or is_started:
                raise
            _LOGGER.exception(
                "management request failed",
                extra={"request_id": scope.get("state", {}).get("request_id")},
            )
            await ExactJSONResponse(failure_body(), 500)(scope, receive, send)


def _decorate(headers: MutableHeaders, identifier: str, path: str) -> None:
    headers["x-request-id"] = identifier
    headers.update(security_headers(path))
    if is_private(path):
        headers.add_vary_header(VARY)
