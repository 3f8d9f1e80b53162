"""Which upstream carries which provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bursar.domain.upstream import UpstreamRequest
    from bursar.ports import Upstream, UpstreamAnswer


class ProviderRouter:
    """An upstream that hands each request to its provider's own, or else to the default."""

    def __init__(self, default: Upstream, by_provider: Mapping[str, Upstream]) -> None:
        self._default = default
        self._by_provider = by_provider

    async def send(self, request: UpstreamRequest) -> UpstreamAnswer:
        return await self._by_provider.get(request.provider, self._default).send(request)

    async def close(self) -> None:
        for upstream in (self._default, *self._by_provider.values()):
            await upstream.close()
