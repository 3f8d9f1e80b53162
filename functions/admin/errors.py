"""Errors as the seed's clients and OpenAI's SDKs both read them."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from bursar.dialects.openai_errors import body_of, headers_of, status_of
from bursar.domain.errors import BursarError, Unprocessable
from functions.admin.exact_json import ExactJSONResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi.routing import APIRoute


_SECRETIVE = ("/api/v1/", "/v1/traces")


def handle_errors(app: FastAPI) -> None:
    """Give every error that a route can raise its answer."""
    app.add_exception_handler(BursarError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_invalid)
    app.add_exception_handler(HTTPException, _refuse_http)


def failure_body() -> dict[str, Any]:
    """What is said about an error that nobody foresaw: nothing."""
    return _body("Internal Server Error", "server_error", "internal_error")


def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, BursarError):
        raise error
    return ExactJSONResponse(body_of(error), status_of(error), headers_of(error))


def _refuse_invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    fields = _shown(error.errors(), request.url.path)
    refusal = Unprocessable(_message(fields), param=_param(fields))
    return ExactJSONResponse({**body_of(refusal), "detail": fields}, status_of(refusal))


def _shown(fields: "Sequence[Any]", path: str) -> "Sequence[Any]":
    """What was wrong, without the values where those may be passwords or keys."""
    if not path.startswith(_SECRETIVE):
        return fields
    return [{name: field[name] for name in ("type", "loc", "msg")} for field in fields]


def _refuse_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework names the methods of the first route only that has the path.
        headers["Allow"] = ", ".join(_allowed(request)) or headers.get("Allow", "GET")
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    body = _body(error.detail, kind, status.name.lower())
    return ExactJSONResponse(body, error.status_code, headers)


def _allowed(request: Request) -> list[str]:
    routes: Sequence[APIRoute] = request.app.state.routes
    path = request.scope["path"]
    return sorted(
        {m for route in routes if route.path_regex.match(path) for m in route.methods or ()}
    )


def unhealthy_body(detail: dict[str, Any]) -> dict[str, Any]:
    """Readiness's own answer, whose `detail` is an object."""
    return {**_body("The store is unavailable", "server_error", "unhealthy"), "detail": detail}


def _body(message: str, kind: str, code: str) -> dict[str, Any]:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return {"detail": message, "error": error}


def _message(fields: "Sequence[Any]") -> str:
    return "; ".join(f"{'.'.join(map(str, field['loc']))}: {field['msg']}" for field in fields)


def _param(fields: "Sequence[Any]") -> str | None:
    location: Sequence[object] = fields[0]["loc"] if fields else ()
    return location[1] if len(location) > 1 and isinstance(location[1], str) else None
