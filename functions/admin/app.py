"""The control plane as an ASGI application."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware

from bursar.services.admin_audit import AuditWriter
from functions.admin import quickstart
from functions.admin.audited import AuditMiddleware
from functions.admin.data_plane import describe_data_plane
from functions.admin.edge import FailureMiddleware, HeadersMiddleware
from functions.admin.errors import handle_errors
from functions.admin.platform import ROUTERS as PLATFORM_ROUTERS
from functions.admin.platform.dependencies import PlatformServices
from functions.admin.platform.slashes import SlashTolerance
from functions.admin.routes import (
    aliases,
    audit,
    budgets,
    health,
    keys,
    pricing,
    providers,
    settings,
    usage,
    users,
)
from functions.admin.schemas.problems import problem_schemas
from functions.admin.services import AdminServices
from functions.admin.settings import AdminSettings

_MODULES = (
    health,
    keys,
    users,
    budgets,
    pricing,
    aliases,
    providers,
    usage,
    audit,
    settings,
    quickstart,
)
_ROUTERS = (
    *(module.router for module in _MODULES),
    *PLATFORM_ROUTERS,
)
_DESCRIPTION = (
    "Manage an LLM gateway's virtual keys, users, budgets and prices, and read its books. "
    "Every route under `/v1` but health and reading prices needs the master key; those under "
    "`/api/v1`, any-llm's platform API, need a person's token or a project's. Amounts are US "
    "dollars, written as JSON numbers with all their digits, on the platform as text. Every error "
    "carries `detail` and, for OpenAI's SDKs, `error`; every answer carries `x-request-id`."
)
_TAGS = [
    {"name": "keys", "description": "Virtual keys: what applications present."},
    {"name": "users", "description": "Users: whom spending is accounted to."},
    {"name": "budgets", "description": "Budgets: limits, periods, and who shares them."},
    {"name": "pricing", "description": "Prices of models; one without a price is not served."},
    {"name": "providers", "description": "Which providers can be called, and by whose keys."},
    {"name": "aliases", "description": "Names that stand for models: fallback, weights, tiers."},
    {"name": "usage", "description": "The books, one record a request."},
    {"name": "audit", "description": "Who changed what, and who was not allowed to."},
    {"name": "settings", "description": "What the deployment decides about requests."},
    {"name": "accounts", "description": "People who sign in, and the projects they belong to."},
    {"name": "projects", "description": "A vault, clients, budgets, virtual keys and books each."},
    {"name": "provider keys", "description": "Providers' keys, sealed on the client."},
    {"name": "clients", "description": "Named parts of a project, with budgets of their own."},
    {"name": "project budgets", "description": "Limits of projects and of their clients."},
    {"name": "vault", "description": "Who can open a project's vault, and its rotation."},
    {"name": "project keys", "description": "Virtual keys that open a project's vault."},
    {"name": "project usage", "description": "A project's books."},
    {
        "name": "direct mode",
        "description": "Clients that open a vault, call providers themselves and report usage.",
    },
    {"name": "health", "description": "For load balancers and probes."},
]


def create_app(
    services: AdminServices, platform: PlatformServices, settings: AdminSettings | None = None
) -> FastAPI:
    """Build the management API on services; nothing is read from the environment."""
    settings = settings or AdminSettings()
    app = FastAPI(
        title="Bursar",
        summary="A serverless LLM gateway: the management API.",
        description=_DESCRIPTION,
        version=settings.version,
        openapi_tags=_TAGS,
        generate_unique_id_function=lambda route: route.name,
        strict_content_type=False,
        # A redirect would name the scheme that this process sees, which TLS may have ended before:
        # the master key must not follow there.
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.platform = platform
    app.state.settings = settings
    handle_errors(app)
    for router in _ROUTERS:
        app.include_router(router)
    app.state.routes = [
        route for router in _ROUTERS for route in router.routes if isinstance(route, APIRoute)
    ]
    _describe_problems(app)
    if settings.describes_data_plane:
        describe_data_plane(app)
    _surround(app, services, settings)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Put what error answers refer to into the document, when that is asked for."""
    own = app.openapi

    def whole() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = own()
            document["components"]["schemas"] |= problem_schemas()
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = whole  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def _surround(app: FastAPI, services: AdminServices, settings: AdminSettings) -> None:
    """Add what runs around the routes; the last one added is the outermost."""
    writer = AuditWriter(services.audit_log, services.clock)
    app.add_middleware(AuditMiddleware, writer=writer)
    app.add_middleware(SlashTolerance, routes=app.state.routes)
    app.add_middleware(FailureMiddleware)
    if settings.cors_allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_allow_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            allow_headers=["Content-Type", "Authorization", "X-AnyLLM-Key", "x-api-key"],
            allow_credentials="*" not in settings.cors_allow_origins,
            expose_headers=["x-request-id"],
        )
    app.add_middleware(HeadersMiddleware, clock=services.clock)
