"""Notes every change that the APIs carry out, and every one that they do not allow."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi.routing import APIRoute

from bursar.domain.audit import AuditEntry, audited_ids
from functions.admin.acting import actor_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bursar.services.admin_audit import AuditWriter

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_NOT_ALLOWED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
UNAUDITED = frozenset(
    {
        # Clients that report what they used; the books have it.
        "report_usage",
        "report_traces",
        # They change nothing, though they take a body.
        "create_challenge",
        "get_login_parameters",
    }
)
"""Routes by their names."""


class AuditMiddleware:
    """Writes an entry once an answer is decided, before it is sent.

    So whoever knows that something was changed finds it in the log. It stands right around the
    routes, which tell it theirs by the scope.
    """

    def __init__(self, app: "ASGIApp", writer: "AuditWriter") -> None:
        self._app = app
        self._writer = writer

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http" or scope["method"] not in _CHANGING:
            await self._app(scope, receive, send)
            return
        is_noted = False

        async def send_when_noted(message: "Message") -> None:
            nonlocal is_noted
            if message["type"] == "http.response.start":
                is_noted = True
                await self._note(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_when_noted)
        except Exception:
            if not is_noted:
                await self._note(scope, HTTPStatus.INTERNAL_SERVER_ERROR)
            raise

    async def _note(self, scope: "Scope", status: int) -> None:
        route = scope.get("route")
        if isinstance(route, APIRoute) and route.name not in UNAUDITED and _is_noted(status):
            await self._writer.write(_entry(scope, route, status))


def _is_noted(status: int) -> bool:
    """Whether something was changed, may have been, or may not be by this caller."""
    is_done = status < HTTPStatus.MULTIPLE_CHOICES
    return is_done or status in _NOT_ALLOWED or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _entry(scope: "Scope", route: APIRoute, status: int) -> AuditEntry:
    actor = actor_of(scope)
    return AuditEntry(
        request_id=scope["state"]["request_id"],
        method=scope["method"],
        route=route.path_format,
        status=int(status),
        actor_kind=actor.kind,
        actor_id=actor.actor_id,
        actor_name=actor.name,
        ids=audited_ids(actor, scope.get("path_params", {})),
    )
