"""The data plane's ASGI app."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route

from bursar.domain.errors import INTERNAL_ERROR, BursarError, NotFound
from bursar.domain.ids import request_id
from functions.proxy.inbound import COUNT_TOKENS, COUNT_TOKENS_PATH, INBOUND, errors_of
from functions.proxy.inference import InferenceRoute, id_headers
from functions.proxy.security import SecurityHeaders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.exceptions import HTTPException
    from starlette.requests import Request

    from bursar.bootstrap import ProxyServices
    from bursar.services.model_list import ModelList


_EXPOSED_HEADERS = [
    "x-request-id",
    "request-id",
    "retry-after",
    "x-should-retry",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-bursar-cost-usd",
    "x-bursar-output-limit",
    "x-bursar-tool-call-limit",
    "x-bursar-model",
    "x-bursar-route",
    "x-bursar-attempts",
    "x-bursar-token-count",
]


def create_app(services: ProxyServices, cors_allow_origins: Sequence[str] = ()) -> SecurityHeaders:
    """Build the app over its services.

    Args:
        services: what it serves.
        cors_allow_origins: origins whose pages may call it; `*` allows all, without credentials.
    """
    handlers: dict[Any, Any] = {
        BursarError: _refused,
        404: _no_route,
        405: _wrong_method,
        Exception: _failed,
    }
    app = Starlette(routes=routes_of(services), exception_handlers=handlers)
    # The address would be made of the Host header, and of a scheme that a proxy in front may have
    # ended: a key must not follow there.
    app.router.redirect_slashes = False
    if cors_allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=cors_allow_origins,
            allow_methods=["GET", "POST", "OPTIONS"],
            # SDKs send many of their own, which mean nothing here and would bar them if not listed.
            allow_headers=["*"],
            allow_credentials="*" not in cors_allow_origins,
            expose_headers=_EXPOSED_HEADERS,
        )
    return SecurityHeaders(app)


def routes_of(services: ProxyServices) -> list[Route]:
    """Every route of the data plane."""
    completion, bytes_max = services.completion, services.request_bytes_max
    inference = [
        Route(path, InferenceRoute(completion, inbound, bytes_max), methods=["POST"])
        for path, inbound in INBOUND.items()
    ]
    count = InferenceRoute(services.token_count, COUNT_TOKENS, bytes_max)
    models = ModelRoutes(services.model_list)
    return [
        *inference,
        Route(COUNT_TOKENS_PATH, count, methods=["POST"]),
        Route("/v1/models", models.every, methods=["GET"]),
        Route("/v1/models/{model_id:path}", models.one, methods=["GET"]),
        Route("/health", _healthy, methods=["GET"]),
        Route("/health/liveness", _alive, methods=["GET"]),
    ]


class ModelRoutes:
    """The models that a caller may ask for."""

    def __init__(self, models: ModelList) -> None:
        self._models = models

    async def every(self, request: Request) -> Response:
        return _json(200, await self._models.all(request.headers))

    async def one(self, request: Request) -> Response:
        model_id = request.path_params["model_id"]
        return _json(200, await self._models.one(request.headers, model_id))


async def _healthy(_: Request) -> Response:
    return _json(200, {"status": "healthy"})


async def _alive(_: Request) -> Response:
    return _json(200, "I'm alive!")


async def _refused(request: Request, error: Exception) -> Response:
    return _error(request, error if isinstance(error, BursarError) else INTERNAL_ERROR)


async def _failed(request: Request, __: Exception) -> Response:
    """Starlette raises the exception again after this answer, so it is logged."""
    return _error(request, INTERNAL_ERROR)


async def _no_route(request: Request, _: HTTPException) -> Response:
    return _error(request, NotFound(f"There is no {request.url.path} here"))


async def _wrong_method(request: Request, error: HTTPException) -> Response:
    path = request.url.path
    refusal = errors_of(path).body_of(BursarError(f"{path} takes no {request.method}"))
    refusal["error"] |= {"type": "invalid_request_error", "code": "method_not_allowed"}
    return _json(405, refusal, error.headers)


def _error(request: Request, error: BursarError) -> Response:
    shape = errors_of(request.url.path)
    return _json(shape.status_of(error), shape.body_of(error), shape.headers_of(error))


def _json(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Response:
    identifier = request_id(datetime.now(UTC))
    return Response(
        msgspec.json.encode(content),
        status,
        {**(headers or {}), **id_headers(identifier)},
        media_type="application/json",
    )
