"""The platform's published clients follow no redirect, and API Gateway may drop a last slash."""

from collections.abc import Sequence

from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

_PREFIX = "/api/v1/"


class SlashTolerance:
    """Serves the platform's paths with and without a slash at their end."""

    def __init__(self, app: ASGIApp, routes: Sequence[APIRoute]) -> None:
        self._app = app
        self._patterns = [route.path_regex for route in routes if route.path.startswith(_PREFIX)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_PREFIX):
            scope = {**scope, "path": self._served(scope["path"])}
        await self._app(scope, receive, send)

    def _served(self, path: str) -> str:
        other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        return other if self._is_route(other) and not self._is_route(path) else path

    def _is_route(self, path: str) -> bool:
        return any(pattern.match(path) for pattern in self._patterns)
