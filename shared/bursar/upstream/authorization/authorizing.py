"""An upstream that authorizes, right before they are sent, the requests that need it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bursar.upstream.authorization.scheme import not_authorized

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bursar.domain.upstream import UpstreamRequest
    from bursar.ports import Upstream, UpstreamAnswer
    from bursar.upstream.authorization.scheme import Scheme

_UNAUTHORIZED: Final = 401


class AuthorizingUpstream:
    """Adds what a scheme grants; a request that names no scheme is passed on as it is.

    A provider's 401 means that it did nothing, so a request whose token may have been withdrawn is
    sent once more with another.

    Args:
        inner: what carries the requests.
        schemes: makes a scheme by its name, when it is first needed.
    """

    def __init__(self, inner: Upstream, schemes: Mapping[str, Callable[[], Scheme]]) -> None:
        self._inner = inner
        self._makers = schemes
        self._schemes: dict[str, Scheme] = {}

    async def send(self, request: UpstreamRequest) -> UpstreamAnswer:
        authorization = request.authorization
        if authorization is None:
            return await self._inner.send(request)
        scheme = self._scheme(request.provider, authorization.scheme)
        grant = await scheme.grant(request, authorization)
        answer = await self._inner.send(_with(request, grant.headers))
        if answer.status != _UNAUTHORIZED or not grant.refused():
            return answer
        await answer.close()
        grant = await scheme.grant(request, authorization)
        return await self._inner.send(_with(request, grant.headers))

    async def close(self) -> None:
        await self._inner.close()

    def _scheme(self, provider: str, name: str) -> Scheme:
        if name not in self._schemes:
            if name not in self._makers:
                raise not_authorized(provider, f"there is no scheme '{name}'")
            self._schemes[name] = self._makers[name]()
        return self._schemes[name]


def _with(request: UpstreamRequest, headers: Mapping[str, str]) -> UpstreamRequest:
    return replace(request, headers={**request.headers, **headers}, authorization=None)
